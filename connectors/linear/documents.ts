// Every GraphQL document that is ever sent. The test holds them against Linear's schema.

const ISSUE = /* GraphQL */ `
  fragment IssueFields on Issue {
    id
    identifier
    number
    title
    description
    url
    priority
    createdAt
    updatedAt
    team {
      id
      key
      name
    }
    state {
      id
      name
      type
    }
    assignee {
      id
      name
    }
    creator {
      id
      name
    }
    labels(first: 20) {
      nodes {
        id
        name
      }
    }
  }
`;

/** Who we are. */
export const WHO = /* GraphQL */ `
  query Who {
    viewer {
      id
      app
      admin
    }
    organization {
      id
      name
      urlKey
    }
  }
`;

/** What has to be known by its id before an issue is made. A list that is empty finds nothing. */
export const LOOK_UP = /* GraphQL */ `
  query LookUp($key: String!, $labels: [String!]!, $person: String!) {
    teams(first: 2, filter: { key: { eqIgnoreCase: $key } }) {
      nodes {
        id
      }
    }
    issueLabels(
      first: 100
      filter: {
        name: { in: $labels }
        or: [{ team: { key: { eqIgnoreCase: $key } } }, { team: { null: true } }]
      }
    ) {
      nodes {
        id
        name
      }
    }
    users(
      first: 2
      filter: { or: [{ email: { eqIgnoreCase: $person } }, { displayName: { eq: $person } }] }
    ) {
      nodes {
        id
      }
    }
  }
`;

/** The same for the team of an issue, with its states. */
export const LOOK_UP_OF_ISSUE = /* GraphQL */ `
  query LookUpOfIssue($issue: String!, $status: String!) {
    issue(id: $issue) {
      id
      team {
        key
        states(first: 2, filter: { name: { eqIgnoreCase: $status } }) {
          nodes {
            id
          }
        }
      }
    }
  }
`;

export const CREATE_ISSUE = /* GraphQL */ `
  mutation CreateIssue($input: IssueCreateInput!) {
    issueCreate(input: $input) {
      success
      issue {
        id
        identifier
        url
      }
    }
  }
`;

export const UPDATE_ISSUE = /* GraphQL */ `
  mutation UpdateIssue($issue: String!, $input: IssueUpdateInput!) {
    issueUpdate(id: $issue, input: $input) {
      success
      issue {
        id
        identifier
        url
      }
    }
  }
`;

export const FIND_ISSUE = /* GraphQL */ `
  query FindIssue($id: String!) {
    issue(id: $id) {
      id
      identifier
      url
    }
  }
`;

export const CREATE_COMMENT = /* GraphQL */ `
  mutation CreateComment($input: CommentCreateInput!) {
    commentCreate(input: $input) {
      success
      comment {
        id
        url
      }
    }
  }
`;

export const FIND_COMMENT = /* GraphQL */ `
  query FindComment($id: String!) {
    comment(id: $id) {
      id
      url
    }
  }
`;

export const POLL_ISSUES = /* GraphQL */ `
  query PollIssues($team: String!, $since: DateTimeOrDuration!, $after: String) {
    issues(first: 100, after: $after, filter: { team: { key: { eq: $team } }, createdAt: { gte: $since } }) {
      nodes {
        ...IssueFields
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${ISSUE}
`;

export const POLL_COMMENTS = /* GraphQL */ `
  query PollComments($team: String!, $since: DateTimeOrDuration!, $after: String) {
    comments(
      first: 100
      after: $after
      filter: { issue: { team: { key: { eq: $team } } }, createdAt: { gte: $since } }
    ) {
      nodes {
        id
        body
        url
        createdAt
        updatedAt
        issueId
        user {
          id
          name
        }
        issue {
          id
          identifier
          title
          url
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

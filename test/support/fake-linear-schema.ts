import { buildSchema } from 'graphql';

/** As much of Linear's schema as our connector uses, under Linear's own names and types. */
export const linearSchema = buildSchema(/* GraphQL */ `
  scalar DateTime
  scalar DateTimeOrDuration

  type Query {
    viewer: User!
    organization: Organization!
    issue(id: String!): Issue!
    comment(id: String): Comment!
    issues(after: String, filter: IssueFilter, first: Int): IssueConnection!
    comments(after: String, filter: CommentFilter, first: Int): CommentConnection!
    teams(filter: TeamFilter, first: Int): TeamConnection!
    users(filter: UserFilter, first: Int): UserConnection!
    issueLabels(filter: IssueLabelFilter, first: Int): IssueLabelConnection!
  }

  type Mutation {
    issueCreate(input: IssueCreateInput!): IssuePayload!
    issueUpdate(id: String!, input: IssueUpdateInput!): IssuePayload!
    commentCreate(input: CommentCreateInput!): CommentPayload!
  }

  input IssueCreateInput {
    id: String
    teamId: String!
    title: String
    description: String
    labelIds: [String!]
    assigneeId: String
  }

  input IssueUpdateInput {
    title: String
    description: String
    stateId: String
    labelIds: [String!]
    assigneeId: String
  }

  input CommentCreateInput {
    id: String
    issueId: String
    body: String
  }

  input StringComparator {
    eq: String
    eqIgnoreCase: String
    in: [String!]
  }

  input DateComparator {
    gte: DateTimeOrDuration
  }

  input TeamFilter {
    key: StringComparator
  }

  input NullableTeamFilter {
    key: StringComparator
    null: Boolean
  }

  input NullableIssueFilter {
    team: TeamFilter
  }

  input IssueFilter {
    team: TeamFilter
    createdAt: DateComparator
  }

  input CommentFilter {
    issue: NullableIssueFilter
    createdAt: DateComparator
  }

  input UserFilter {
    or: [UserFilter!]
    email: StringComparator
    displayName: StringComparator
  }

  input IssueLabelFilter {
    or: [IssueLabelFilter!]
    name: StringComparator
    team: NullableTeamFilter
  }

  input WorkflowStateFilter {
    name: StringComparator
  }

  type PageInfo {
    hasNextPage: Boolean!
    endCursor: String
  }

  type IssueConnection {
    nodes: [Issue!]!
    pageInfo: PageInfo!
  }

  type CommentConnection {
    nodes: [Comment!]!
    pageInfo: PageInfo!
  }

  type TeamConnection {
    nodes: [Team!]!
  }

  type UserConnection {
    nodes: [User!]!
  }

  type IssueLabelConnection {
    nodes: [IssueLabel!]!
  }

  type WorkflowStateConnection {
    nodes: [WorkflowState!]!
  }

  type IssuePayload {
    success: Boolean!
    issue: Issue
  }

  type CommentPayload {
    success: Boolean!
    comment: Comment!
  }

  type Organization {
    id: ID!
    name: String!
    urlKey: String!
  }

  type User {
    id: ID!
    name: String!
    email: String!
    displayName: String!
    app: Boolean!
    admin: Boolean!
  }

  type Team {
    id: ID!
    key: String!
    name: String!
    states(filter: WorkflowStateFilter, first: Int): WorkflowStateConnection!
  }

  type WorkflowState {
    id: ID!
    name: String!
    type: String!
  }

  type IssueLabel {
    id: ID!
    name: String!
  }

  type Issue {
    id: ID!
    identifier: String!
    number: Float!
    title: String!
    description: String
    url: String!
    priority: Float!
    createdAt: DateTime!
    updatedAt: DateTime!
    team: Team!
    state: WorkflowState!
    assignee: User
    creator: User
    labels(first: Int): IssueLabelConnection!
  }

  type Comment {
    id: ID!
    body: String!
    url: String!
    createdAt: DateTime!
    updatedAt: DateTime!
    issueId: String
    user: User
    issue: Issue
  }
`);

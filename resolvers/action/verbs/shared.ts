export const MARKDOWN = 'Markdown; turned into what the provider speaks.';
export const REPOSITORY = 'The repository: `owner/name`.';
export const ISSUE = 'The key that people see: `7`, `PROJ-12`.';
export const ISSUE_PROJECT = 'Needed where the issue’s key does not name it: `owner/name`.';
export const optional = { nullable: true } as const;

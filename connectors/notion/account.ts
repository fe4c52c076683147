/**
 * How deliveries name a person in a workspace. A person is in many workspaces by one id, and what they consented to in one
 * says nothing of another. Undefined where either is not known: nobody's events then.
 */
export function accountIn(workspace: string | undefined, person: string | undefined): string | undefined {
  return workspace && person ? `${workspace}/${person}` : undefined;
}

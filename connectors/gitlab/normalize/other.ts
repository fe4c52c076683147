import {
  type Part,
  at,
  compact,
  isObject,
  line,
  links,
  longText,
  textAt,
} from '../../../src/connector/index.js';
import type { GitLabRule } from './rules.js';
import { actor, details, project } from './shared.js';

/** Anything with a name or a title: milestones, feature flags, vulnerabilities, access tokens, projects. */
const thing: Part = {
  required: [],
  describe: (body) => {
    const found = at(body, 'object_attributes');
    const title = line(found, 'title') ?? line(found, 'name') ?? line(body, 'name') ?? line(body, 'title');
    const url = textAt(found, 'url') ?? textAt(body, 'url');
    return {
      resource: { repository: line(body, 'path_with_namespace') },
      payload: {
        title,
        state: line(found, 'state') ?? line(found, 'status'),
        body: longText(found, 'description') ?? longText(found, 'note'),
        subject: compact({ type: line(body, 'object_kind'), id: line(found, 'id') ?? line(body, 'id') }),
      },
      evidence: links(line(body, 'object_kind') ?? 'event', url, title),
    };
  },
};

/**
 * The rule for every event that no rule names, known to GitLab or not: a `provider_event` that says what can be read
 * without knowing it. It has no identity of its own, and nothing can be missing from it.
 */
export function otherRule(_type: string, body: unknown): GitLabRule {
  const time = ['object_attributes.updated_at', 'updated_at'].find(
    (path) => textAt(body, ...path.split('.')) !== undefined,
  );
  return {
    on: [],
    type: 'provider_event',
    ...(time && { at: time }),
    // What stands in `project` of a body that has none is read from `thing`.
    parts: [details, ...(isObject(at(body, 'project')) ? [thing, project] : [thing]), actor],
  };
}

import {
  acceptsActions,
  acceptsWebhooks,
  connectionStatuses,
  transitions,
} from '../src/connection/status.js';

/** The body of docs/lifecycle.md, drawn from the table of transitions. */
export function lifecycleBody(): readonly string[] {
  const arrows = Object.values(transitions).flatMap(({ from, to, what }) =>
    from.map((status) => `  ${status} --> ${to}: ${what.split(':')[0]}`),
  );
  return [
    'A connection’s **status** is what someone decided, or must do, about it. What was seen of it lately is its **health**, and another matter. Every change leaves a receipt in the same transaction.',
    '```mermaid',
    'stateDiagram-v2',
    '  [*] --> PENDING_VERIFICATION: connect',
    ...new Set(arrows),
    '```',
    '',
    '| What happens | In status | Comes to |',
    '| --- | --- | --- |',
    ...Object.values(transitions).map(({ from, to, what }) => `| ${what} | ${from.join(', ')} | ${to} |`),
    '',
    '| Status | Takes webhooks | Does actions |',
    '| --- | --- | --- |',
    ...connectionStatuses.map(
      (status) => `| ${status} | ${yes(acceptsWebhooks(status))} | ${yes(acceptsActions(status))} |`,
    ),
    '',
    'AUTHORIZING and REAUTHORIZATION_REQUIRED belong to OAuth, which is not built yet: nothing leads there.',
  ];
}

function yes(is: boolean): string {
  return is ? 'yes' : 'no';
}

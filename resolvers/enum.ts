import { registerEnumType } from 'type-graphql';

/**
 * Makes a GraphQL enum of one of our own unions. Every value needs its description, which the type of `values` asks
 * for; GraphQL shows the values in upper case.
 */
export function toEnum<T extends string>(
  name: string,
  description: string,
  values: Readonly<Record<T, string>>,
): Readonly<Record<string, T>> {
  const described = Object.entries<string>(values);
  const members = Object.fromEntries(described.map(([value]) => [value.toUpperCase(), value as T]));
  registerEnumType(members, {
    name,
    description,
    valuesConfig: Object.fromEntries(
      described.map(([value, text]) => [value.toUpperCase(), { description: text }]),
    ),
  });
  return members;
}

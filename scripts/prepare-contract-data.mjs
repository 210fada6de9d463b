// Cuts GitHub's OpenAPI description into one small JSON Schema file per operation and per webhook.
//
//   node scripts/prepare-contract-data.mjs PACKAGES OUTPUT
//
// `api.github.com.json` is the file that describes github.com with `$ref`s kept. Its neighbours describe Enterprise
// Cloud and Server, and the `.deref` ones have every reference written out, at six times the size.
//
// OpenAPI 3.0 is not quite JSON Schema. What is translated, to draft 2020-12:
//
// - `nullable` becomes a union with `null`, in `enum` too;
// - `oneOf` becomes `anyOf`: GitHub's alternatives overlap (`value: null` of a validation error fits all three of
//   its forms), so "exactly one" would refuse answers that GitHub itself gives;
// - `$ref` hides its siblings, as OpenAPI 3.0 says;
// - notes for readers (`description`, `example`, `x-…`) are dropped.
//
// Bodies of requests are *closed*: GitHub ignores a misspelt property without a word, so here it is an error. An object
// is closed around its alternatives (`unevaluatedProperties`), never inside one of them. Bodies of answers come in both
// manners: GitHub may always add a property, a stand-in for it may not invent one.

import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [packages, output] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(import.meta.url);
const description = require(join(packages, 'openapi/generated/api.github.com.json'));

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** Keywords whose meaning is the same in both languages and whose value holds no schema. */
const PLAIN = [
  'type', 'enum', 'format', 'pattern', 'required', 'minLength', 'maxLength', 'minItems', 'maxItems', 'uniqueItems',
  'minProperties', 'maxProperties', 'minimum', 'maximum', 'multipleOf',
];
/** Keywords that say nothing about validity here. */
const SILENT = [
  'nullable', 'description', 'title', 'default', 'example', 'examples', 'deprecated', 'discriminator', 'externalDocs',
  'readOnly', 'writeOnly', 'xml', 'summary',
];
const HANDLED = ['$ref', 'properties', 'additionalProperties', 'items', 'oneOf', 'anyOf', 'allOf', 'not'];

function lookUp(reference) {
  return reference
    .replace(/^#\//, '')
    .split('/')
    .reduce((node, key) => node[key.replaceAll('~1', '/').replaceAll('~0', '~')], description);
}

const follow = (node) => (node?.$ref ? follow(lookUp(node.$ref)) : node);

/**
 * Translates schemas, and collects the definitions they refer to.
 *
 * Three manners: `open` allows properties that are not described; `closed` refuses them; `branch`
 * is one alternative of a closed object: the object around it is the one that closes, what is inside closes itself.
 */
class Translator {
  definitions = {};

  schema(source, manner) {
    if (source === true || source === false) return source;
    if (source.$ref) return { $ref: this.reference(source.$ref, manner) };
    const result = {};
    for (const [keyword, value] of Object.entries(source)) {
      if (PLAIN.includes(keyword)) result[keyword] = value;
      else if (!SILENT.includes(keyword) && !HANDLED.includes(keyword) && !keyword.startsWith('x-')) {
        throw new Error(`no translation for the keyword \`${keyword}\` in ${JSON.stringify(source).slice(0, 200)}`);
      }
    }
    const beside = manner === 'open' ? 'open' : 'branch';
    const inside = manner === 'open' ? 'open' : 'closed';
    const branches = (list) => list.map((branch) => this.schema(branch, beside));
    const alternatives = [source.oneOf, source.anyOf].filter(Boolean).map((list) => ({ anyOf: branches(list) }));
    if (source.allOf || alternatives.length > 1) result.allOf = [...branches(source.allOf ?? []), ...alternatives];
    else if (alternatives.length === 1) Object.assign(result, alternatives[0]);
    if (source.not) result.not = this.schema(source.not, 'open');
    if (source.items) result.items = this.schema(source.items, inside);
    if (source.properties) {
      result.properties = Object.fromEntries(
        Object.entries(source.properties).map(([name, value]) => [name, this.schema(value, inside)]),
      );
    }
    const extra = source.additionalProperties;
    const composed = Boolean(source.oneOf || source.anyOf || source.allOf);
    if (extra !== undefined && !(extra === true && source.properties)) {
      result.additionalProperties = typeof extra === 'object' ? this.schema(extra, inside) : extra;
    } else if (manner === 'closed' && extra === undefined && (source.properties || composed)) {
      result.unevaluatedProperties = false;
    }
    return source.nullable === true ? nullable(result) : result;
  }

  reference(reference, manner) {
    const name = `${reference.split('/').pop()}~${manner}`.replaceAll('~', '.');
    if (!(name in this.definitions)) {
      this.definitions[name] = {}; // before the translation: some definitions contain themselves
      this.definitions[name] = this.schema(lookUp(reference), manner);
    }
    return `#/$defs/${name}`;
  }
}

function nullable(schema) {
  if (typeof schema.type === 'string' && !schema.anyOf && !schema.allOf) {
    const result = { ...schema, type: [schema.type, 'null'] };
    if (schema.enum && !schema.enum.includes(null)) result.enum = [...schema.enum, null];
    return result;
  }
  // No type of its own and nothing else said: anything goes, null too.
  return Object.keys(schema).length === 0 ? schema : { anyOf: [{ type: 'null' }, schema] };
}

/** The most a number may be according to its prose ("max 100"): GitHub clamps silently what is above. */
function proseMaximum(parameter) {
  const said = /\(max (\d+)\)/.exec(parameter.description ?? '');
  return said && parameter.schema.type === 'integer' ? { maximum: Number(said[1]) } : {};
}

function parameter(source, translator) {
  return {
    name: source.name,
    in: source.in,
    required: Boolean(source.required),
    segments: source['x-multi-segment'] ? 'many' : 'one',
    schema: { ...translator.schema(follow(source.schema), 'open'), ...proseMaximum(source) },
  };
}

const isJson = (type) => /[/+]json$/.test(type);

/** The schema of a body's JSON form, and the media types that are documented beside it. */
function body(source, translator, manner) {
  const media = Object.entries(source.content ?? {});
  // `vnd.github.object` and its like answer JSON under a type of their own; `application/json` speaks for them.
  const json = media.find(([type]) => type === 'application/json') ?? media.find(([type]) => isJson(type));
  return {
    types: media.map(([type]) => type),
    schema: json ? translator.schema(json[1].schema ?? {}, manner) : null,
    closed: json && manner === 'open' ? translator.schema(json[1].schema ?? {}, 'closed') : null,
    examples: Object.values(json?.[1].examples ?? {}).map((example) => follow(example).value),
  };
}

function operation(path, method, item) {
  const source = item[method];
  const translator = new Translator();
  const parameters = [...(item.parameters ?? []), ...(source.parameters ?? [])].map(follow);
  const request = follow(source.requestBody);
  const responses = Object.entries(source.responses).map(([status, response]) => [
    status,
    body(follow(response), translator, 'open'),
  ]);
  return {
    operation: source.operationId,
    method: method.toUpperCase(),
    path,
    parameters: parameters.map((each) => parameter(each, translator)),
    request: request ? { required: Boolean(request.required), ...body(request, translator, 'closed') } : null,
    responses: Object.fromEntries(responses),
    definitions: translator.definitions,
  };
}

function write(name, value) {
  writeFileSync(join(output, name), JSON.stringify(value));
}

mkdirSync(join(output, 'operations'), { recursive: true });
mkdirSync(join(output, 'webhooks'), { recursive: true });

const templates = [];
for (const [path, item] of Object.entries(description.paths)) {
  const many = new Set();
  const methods = {};
  for (const method of METHODS.filter((each) => item[each])) {
    const described = operation(path, method, item);
    described.parameters.filter((each) => each.segments === 'many').forEach((each) => many.add(each.name));
    methods[method.toUpperCase()] = `operations/${described.operation.replaceAll('/', '.')}.json`;
    write(methods[method.toUpperCase()], described);
  }
  templates.push({ path, many: [...many], methods });
}
write('index.json', templates);

const webhooks = [];
for (const { post } of Object.values(description['x-webhooks'])) {
  const translator = new Translator();
  const event = post['x-github'].subcategory;
  const action = post.operationId.split('/')[1] ?? null;
  const file = `webhooks/${post.operationId.replaceAll('/', '.')}.json`;
  const { schema } = body(follow(post.requestBody), translator, 'open');
  write(file, { ...schema, $defs: translator.definitions });
  webhooks.push({ event, action: action?.replaceAll('-', '_') ?? null, file });
}
write('webhooks.json', webhooks);

write(
  'examples.json',
  require(join(packages, 'webhooks-examples/api.github.com/index.json')).flatMap(({ name, examples }) =>
    examples.map((payload, index) => ({ event: name, index, payload })),
  ),
);

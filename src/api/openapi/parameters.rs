//! Parameters of paths, queries and headers.

use schemars::JsonSchema;
use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Required};

use super::has_key;
use super::schemas::{Direction, generator};
use crate::dispatch::Endpoint;

/// The form of a session's key. What is escaped in it, and which scope a platform has, a pattern does not say.
const KEY: &str = r"^agent:[^:/]+:[^:/]+:((group|channel|task|job|heartbeat|event):[^:/]+|dm(:[^:/]+){1,2}|(topic|thread)(:[^:/]+){2}|member:[^:/]+:[^:/]*:[^:/]+)$";

/// The parameters of all paths: name, pattern, and what it is.
const OF_PATHS: [(&str, &str, &str); 20] = [
    ("account", r"^[^/]+$", "The name of an account of the channel"),
    ("ask", r"^a[0-9]{1,18}$", "The id of a question, for example `a3`"),
    ("asset", r"^[^/]+$", "A file of the page or of the console"),
    ("channel", r"^[^/]+$", "A channel, for example `telegram`, or one account of it, `telegram@work`"),
    ("code", r"^[A-HJ-NP-Z2-9]{8}$", "The code of a pairing request: eight letters and digits"),
    (
        "file",
        r"^(m[0-9]{1,18}\.[0-9]{1,9}|o[0-9]{1,18})$",
        "A file as the timeline names it, for example `m7.0` or `o9`",
    ),
    ("group", r"^[^/]+$", "The platform's id of a group"),
    ("hook", r"^[^/]+$", "The name of an endpoint in `[hooks]` of the configuration"),
    ("job", r"^[A-Za-z0-9_-]{1,64}$", "The name of a job"),
    (
        "key",
        KEY,
        "The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL",
    ),
    ("letter", r"^[0-9]{1,18}$", "The number of a dead letter"),
    ("message", r"^m[0-9]{1,18}$", "The id of a message, for example `m7`"),
    ("model", r"^[^/]+$", "The name of an agent"),
    ("part", r"^o[0-9]{1,18}$", "The id of an outgoing message, for example `o9`"),
    ("principal", r"^[^:/]+:[^/]+$", "A person, for example `telegram:4711`"),
    ("request", r"^[0-9]{1,18}$", "The number of a pairing request"),
    ("run", r"^r[0-9]{1,18}$", "The id of a run, for example `r5`"),
    ("task", r"^b[0-9]{1,18}$", "The id of a background task, for example `b4`"),
    ("token", r"^[a-z0-9][a-z0-9._-]{0,39}$", "The name of a token"),
    ("upload", r"^[^/]+$", "The name of an upload, as the response to it says"),
];

/// Parameters that several operations share.
pub(super) fn shared() -> Value {
    json!({"IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Names the request: a repetition with the same key gets the same answer and is not carried out again",
        "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,198}[!-~])?$"},
    }})
}

/// Adds the parameters of the path and the key.
pub(super) fn complete(operation: &mut Value, endpoint: &Endpoint) {
    let names = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names.map(of_path).collect();
    if let Some(Value::Array(query)) = operation.get_mut("parameters").map(Value::take) {
        parameters.extend(query);
    }
    if has_key(endpoint) {
        parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    operation["parameters"] = parameters.into();
}

fn of_path(name: &str) -> Value {
    let known = OF_PATHS.iter().find(|(known, ..)| *known == name);
    let (_, pattern, what) = known.unwrap_or(&("", "", ""));
    let schema = json!({"type": "string", "pattern": pattern});
    json!({"name": name, "in": "path", "required": true, "description": what, "schema": schema})
}

/// The fields of a query as parameters.
pub(super) fn of_query<T: JsonSchema>() -> Vec<Parameter> {
    let schema = generator(Direction::Request).into_root_schema_for::<T>().to_value();
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|required| required.iter().any(|field| field == name))
    };
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields
        .map(|(name, field)| {
            let mut field = field.clone();
            let description = field.as_object_mut().and_then(|field| field.remove("description"));
            // A query has no null.
            if let Some(kind) = field["type"].get(0).cloned() {
                field["type"] = kind;
            }
            if let Some(object) = field.as_object_mut() {
                object.remove("default");
            }
            let schema = serde_json::from_value::<RefOr<Schema>>(field.clone()).ok();
            debug_assert_eq!(
                serde_json::to_value(&schema).ok(),
                Some(field),
                "{name} is not described in full"
            );
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .required(if required(name) { Required::True } else { Required::False })
                .description(description.as_ref().and_then(Value::as_str))
                .schema(schema)
                .build()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::ENDPOINTS;

    #[test]
    fn every_parameter_of_a_path_is_described() {
        for endpoint in ENDPOINTS {
            for name in endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            {
                assert!(OF_PATHS.iter().any(|(known, ..)| *known == name), "{}: {name}", endpoint.path);
            }
        }
        let all: Vec<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.path).collect();
        for (name, ..) in OF_PATHS {
            assert!(all.iter().any(|path| path.contains(&format!("{{{name}}}"))), "no path has {name}");
        }
    }
}

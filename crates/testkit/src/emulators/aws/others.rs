//! What other services answer: `GetCallerIdentity` of STS, `GetParameter` of SSM.

use serde_json::{Value, json};

use super::images::Image;
use super::network::ACCOUNT;
use super::params::Params;
use super::problem::Problem;
use super::turn::{Done, Turn};

/// When the newest images were announced, in seconds since 1970.
const ANNOUNCED: f64 = 1_785_569_000.0;

impl Turn<'_> {
    /// `GetCallerIdentity`.
    pub(super) fn get_identity(&mut self, params: Params) -> Done {
        params.finish()?;
        self.ask(crate::world::World::validate)?;
        Ok(json!({
            "Arn": self.caller,
            "UserId": "AIDACKCEVSQ6C2EXAMPLE",
            "Account": ACCOUNT,
        }))
    }

    /// `GetParameter`: public parameters that name images.
    pub(super) fn get_parameter(&mut self) -> Done {
        let invalid = |message: String| Problem::new(400, "ValidationException", message);
        let Ok(Value::Object(mut fields)) = self.call.json() else {
            let message = "The request body is no JSON object.";
            return Err(Problem::new(400, "SerializationException", message).into());
        };
        let name = fields.remove("Name").and_then(|name| name.as_str().map(str::to_owned));
        if !fields.remove("WithDecryption").unwrap_or(Value::Bool(false)).is_boolean() {
            return Err(invalid("WithDecryption is no boolean".to_owned()).into());
        }
        if let Some(unknown) = fields.keys().next() {
            return Err(invalid(format!("Unknown parameter in input: {unknown}")).into());
        }
        let name = name.ok_or_else(|| invalid("Value null at 'name'".to_owned()))?;
        self.ask_catalogue()?;
        let Some(image) = Image::of_parameter(self.place.region, &name) else {
            return Err(Problem::new(400, "ParameterNotFound", "").into());
        };
        Ok(json!({
            "Parameter": {
                "ARN": format!("arn:aws:ssm:{}::parameter{name}", self.place.region),
                "DataType": "aws:ec2:image",
                "LastModifiedDate": ANNOUNCED,
                "Name": name,
                "Type": "String",
                "Value": image.id(),
                "Version": 121,
            }
        }))
    }
}

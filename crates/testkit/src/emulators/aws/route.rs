//! From a request to the action it asks for, and from what came of it to an answer.

use serde_json::{Value, json};

use super::action::{Action, Service};
use super::params::Params;
use super::problem::Problem;
use super::turn::{Done, Turn};
use super::xml;
use crate::emulators::call::{Answer, Call, Media};

/// How the target of a call of SSM begins.
const SSM_TARGET: &str = "AmazonSSM.";

/// The action a request names, whether there is one of that name or not.
pub(super) fn name_of(call: &Call) -> Option<String> {
    if let Some(target) = call.header("x-amz-target") {
        return Some(target.strip_prefix(SSM_TARGET)?.to_owned());
    }
    let mut pairs = url::form_urlencoded::parse(&call.body);
    pairs.find(|(name, _)| name == "Action").map(|(_, value)| value.into_owned())
}

/// The action a request asks for, and its parameters.
pub(super) fn asked(call: &Call, service: Service) -> Result<(Action, Params), Problem> {
    let unknown = |name: &str| {
        let message = format!("The action {name} is not valid for this web service.");
        Problem::new(400, "InvalidAction", message)
    };
    let kind = call.header("content-type").unwrap_or_default();
    let wanted = match service {
        Service::Ssm => "application/x-amz-json-1.1",
        Service::Ec2 | Service::Sts => "application/x-www-form-urlencoded",
    };
    if !kind.starts_with(wanted) {
        let message = format!("The content type must be {wanted}, not '{kind}'");
        return Err(Problem::new(400, "MalformedQueryString", message));
    }
    let name = name_of(call).ok_or_else(|| {
        Problem::new(
            400,
            "MissingAction",
            "The request is missing an action or operation parameter.",
        )
    })?;
    let found = Action::named(&name).filter(|action| action.service() == service);
    let action = found.ok_or_else(|| unknown(&name))?;
    let Some(version) = service.version() else { return Ok((action, Params::default())) };
    let mut params = Params::read(&call.body)?;
    params.text("Action")?;
    let given = params.required("Version")?;
    if given != version {
        let message =
            format!("The requested version ({given}) of service {} does not exist", service.name());
        return Err(Problem::new(400, "NoSuchVersion", message));
    }
    Ok((action, params))
}

/// Answers by action.
pub(super) fn serve(turn: &mut Turn<'_>, params: Params) -> Done {
    match turn.action {
        Action::AuthorizeSecurityGroupIngress => turn.authorize(params),
        Action::CreateFleet => turn.create_fleet(params),
        Action::CreateLaunchTemplate => turn.create_template(params),
        Action::CreateSecurityGroup => turn.create_group(params),
        Action::CreateTags => turn.create_tags(params),
        Action::DeleteLaunchTemplate => turn.delete_template(params),
        Action::DeleteSecurityGroup => turn.delete_group(params),
        Action::DeleteTags => turn.delete_tags(params),
        Action::DescribeAvailabilityZones => turn.describe_zones(params),
        Action::DescribeImages => turn.describe_images(params),
        Action::DescribeInstanceTypeOfferings => turn.describe_offerings(params),
        Action::DescribeInstanceTypes => turn.describe_types(params),
        Action::DescribeInstances => turn.describe_instances(params),
        Action::DescribeKeyPairs => turn.describe_keys(params),
        Action::DescribeLaunchTemplates => turn.describe_templates(params),
        Action::DescribeRegions => turn.describe_regions(params),
        Action::DescribeSecurityGroups => turn.describe_groups(params),
        Action::DescribeSubnets => turn.describe_subnets(params),
        Action::DescribeVpcs => turn.describe_vpcs(params),
        Action::GetCallerIdentity => turn.get_identity(params),
        Action::GetParameter => turn.get_parameter(),
        Action::ModifyInstanceAttribute => turn.modify_instance(params),
        Action::RunInstances => turn.run_instances(params),
        Action::StartInstances => turn.start_instances(params),
        Action::StopInstances => turn.stop_instances(params),
        Action::TerminateInstances => turn.terminate_instances(params),
    }
}

/// An answer with this content, as the service writes it.
pub(super) fn success(call: &Call, service: Service, content: &Value) -> Answer {
    let name = name_of(call).unwrap_or_default();
    let root = format!("{name}Response");
    let text = match service {
        Service::Ssm => return Answer::new(200, content.clone()).written_as(Media::AmazonJson),
        Service::Ec2 => {
            let mut whole = json!({ "requestId": call.request_id });
            for (name, value) in content.as_object().into_iter().flatten() {
                whole[name] = value.clone();
            }
            let space = "http://ec2.amazonaws.com/doc/2016-11-15/";
            xml::document(&root, Some(space), &whole)
        }
        Service::Sts => {
            let mut whole = json!({ "ResponseMetadata": { "RequestId": call.request_id } });
            whole[format!("{name}Result")] = content.clone();
            let space = "https://sts.amazonaws.com/doc/2011-06-15/";
            xml::document(&root, Some(space), &whole)
        }
    };
    Answer::new(200, Value::String(text)).written_as(Media::Xml)
}

//! Launch templates: `CreateLaunchTemplate`, `DescribeLaunchTemplates`, `DeleteLaunchTemplate`.

use serde_json::{Value, json};

use super::account::{Remembered, Template, TokenKey};
use super::filters::{Filters, add_tags, facets};
use super::paging::Page;
use super::params::Params;
use super::problem::Problem;
use super::run::comparable;
use super::spec::Spec;
use super::tag_words::{shown, specifications};
use super::turn::{Done, Turn, stamp};

/// The most entries of a page.
const MOST: u32 = 200;

impl Turn<'_> {
    /// `CreateLaunchTemplate`. What its data names is looked up only by who launches.
    pub(super) fn create_template(&mut self, mut params: Params) -> Done {
        let given = comparable(&params);
        let name = params.required("LaunchTemplateName")?;
        let token = params.text("ClientToken")?.filter(|token| !token.is_empty());
        params.text("VersionDescription")?;
        let mut data = params.group("LaunchTemplateData");
        if data.is_empty() {
            return Err(Problem::missing("LaunchTemplateData").into());
        }
        let spec = Spec::take(&mut data)?;
        data.finish()?;
        let tags = specifications(&mut params, &["launch-template"])?;
        self.finish(params)?;
        let key = token.map(|token| TokenKey {
            region: self.place.region,
            zone: None,
            action: self.action,
            token,
        });
        if let Some(key) = &key
            && let Some(done) = self.account.tokens.recall(key, &given)?
        {
            return Ok(done.answer);
        }
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "()./_-".contains(letter);
        if !(3..=128).contains(&name.len()) || !name.chars().all(fits) {
            let message = "Launch template names must be 3 to 128 letters, digits or ( ) . / - _";
            let code = "InvalidLaunchTemplateName.MalformedException";
            return Err(Problem::new(400, code, message).into());
        }
        let region = self.place.region;
        let known = |known: &Template| known.region == region && known.name == name;
        if self.account.templates.iter().any(known) {
            let message = "Launch template name already in use.";
            let code = "InvalidLaunchTemplateName.AlreadyExistsException";
            return Err(Problem::new(400, code, message).into());
        }
        let id = self.account.issue("lt");
        let template = Template { id: id.clone(), name, region, created: self.millis(), spec };
        self.account.tags.insert(id, tags.into_values().next().unwrap_or_default());
        let answer = json!({ "launchTemplate": self.template(&template) });
        self.account.templates.push(template);
        if let Some(key) = key {
            let (instances, answer) = (Vec::new(), answer.clone());
            self.account.tokens.remember(key, Remembered { params: given, instances, answer });
        }
        Ok(answer)
    }

    /// `DescribeLaunchTemplates`.
    pub(super) fn describe_templates(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(&mut params, &["launch-template-name", "tag-key", "tag:"])?;
        let ids = params.texts("LaunchTemplateId")?;
        let names = params.texts("LaunchTemplateName")?;
        let page = Page::take(&mut params, MOST)?.of_named(&[&ids, &names]);
        self.finish(params)?;
        self.ask_catalogue()?;
        for (given, by_id) in [(&ids, true), (&names, false)] {
            for one in given {
                let (id, name) = if by_id { (Some(&**one), None) } else { (None, Some(&**one)) };
                self.find_template(id, name)?;
            }
        }
        let all = ids.is_empty() && names.is_empty();
        let listed: Vec<Value> = self
            .account
            .templates
            .iter()
            .filter(|template| template.region == self.place.region)
            .filter(|one| all || ids.contains(&one.id) || names.contains(&one.name))
            .filter(|template| {
                let mut seen = facets([("launch-template-name", vec![template.name.clone()])]);
                add_tags(&mut seen, &self.account.tags_of(&template.id));
                filters.pick(&seen)
            })
            .map(|template| self.template(template))
            .collect();
        self.paged(&page, "launchTemplates", listed)
    }

    /// `DeleteLaunchTemplate`.
    pub(super) fn delete_template(&mut self, mut params: Params) -> Done {
        let (id, name) = (params.text("LaunchTemplateId")?, params.text("LaunchTemplateName")?);
        self.finish(params)?;
        let template = self.find_template(id.as_deref(), name.as_deref())?;
        let answer = json!({ "launchTemplate": self.template(&template) });
        self.account.templates.retain(|known| known.id != template.id);
        self.account.tags.remove(&template.id);
        Ok(answer)
    }

    /// The template that an order names, if it names one.
    pub(super) fn template_given(&self, mut params: Params) -> Result<Option<Template>, Problem> {
        if params.is_empty() {
            return Ok(None);
        }
        let (id, name) = (params.text("LaunchTemplateId")?, params.text("LaunchTemplateName")?);
        let version = params.text("Version")?;
        params.finish()?;
        let template = self.find_template(id.as_deref(), name.as_deref())?;
        match version.as_deref() {
            None | Some("1" | "$Latest" | "$Default") => Ok(Some(template)),
            Some(other) => {
                let message = format!(
                    "Could not find the specified version {other} for the launch template with ID {}.",
                    template.id
                );
                Err(Problem::new(400, "InvalidLaunchTemplateId.VersionNotFound", message))
            }
        }
    }

    fn find_template(&self, id: Option<&str>, name: Option<&str>) -> Result<Template, Problem> {
        let templates = self.account.templates.iter();
        let mut here = templates.filter(|template| template.region == self.place.region);
        let (found, code, given) = match (id, name) {
            (Some(id), None) => {
                let found = here.find(|template| template.id == id);
                (found, "InvalidLaunchTemplateId.NotFound", id)
            }
            (None, Some(name)) => {
                let found = here.find(|template| template.name == name);
                (found, "InvalidLaunchTemplateName.NotFoundException", name)
            }
            (Some(_), Some(_)) | (None, None) => {
                let message = "Exactly one of LaunchTemplateId and LaunchTemplateName is needed";
                return Err(Problem::combination(message));
            }
        };
        found.cloned().ok_or_else(|| Problem::not_found(code, "specified launch template", given))
    }

    fn template(&self, template: &Template) -> Value {
        json!({
            "launchTemplateId": template.id,
            "launchTemplateName": template.name,
            "createTime": stamp(template.created),
            "createdBy": self.caller,
            "defaultVersionNumber": 1,
            "latestVersionNumber": 1,
            "tagSet": shown(&self.account.tags_of(&template.id)),
        })
    }
}

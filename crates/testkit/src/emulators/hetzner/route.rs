//! From a path to who answers.

use super::account::Course;
use super::problem::Problem;
use super::turn::{Done, Turn};
use crate::world::RequestKind;

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Servers,
    Server(u64),
    ActionsOf(u64),
    Switch(u64, Course),
    Protection(u64),
    Actions,
    Action(u64),
    Keys,
    Key(u64),
    Types,
    Type(u64),
    Images,
    Image(u64),
    Places,
    Place(u64),
    Pricing,
    Datacenters,
}

impl Resource {
    /// What this path stands for; `None` when there is no such path.
    pub(super) fn at(path: &[&str]) -> Option<Self> {
        let id = |text: &str| text.parse().ok();
        Some(match *path {
            ["servers"] => Self::Servers,
            ["servers", server] => Self::Server(id(server)?),
            ["servers", server, "actions"] => Self::ActionsOf(id(server)?),
            ["servers", server, "actions", verb] => {
                let server = id(server)?;
                match verb {
                    "poweron" => Self::Switch(server, Course::Start),
                    "poweroff" => Self::Switch(server, Course::PowerOff),
                    "shutdown" => Self::Switch(server, Course::ShutDown),
                    "change_protection" => Self::Protection(server),
                    action => Self::Action(id(action)?),
                }
            }
            ["actions"] => Self::Actions,
            ["actions", action] => Self::Action(id(action)?),
            ["ssh_keys"] => Self::Keys,
            ["ssh_keys", key] => Self::Key(id(key)?),
            ["server_types"] => Self::Types,
            ["server_types", kind] => Self::Type(id(kind)?),
            ["images"] => Self::Images,
            ["images", image] => Self::Image(id(image)?),
            ["locations"] => Self::Places,
            ["locations", place] => Self::Place(id(place)?),
            ["pricing"] => Self::Pricing,
            ["datacenters"] | ["datacenters", _] => Self::Datacenters,
            _ => return None,
        })
    }

    /// What such a request asks of the world.
    pub(super) fn kind(self, method: &str) -> Option<RequestKind> {
        match (method, self) {
            ("GET", Self::Servers) => Some(RequestKind::List),
            ("GET", Self::Server(_) | Self::ActionsOf(_) | Self::Actions | Self::Action(_)) => {
                Some(RequestKind::Get)
            }
            ("GET", Self::Datacenters) => None,
            ("GET", _) => Some(RequestKind::Catalogue),
            ("POST", Self::Servers) => Some(RequestKind::Create),
            ("PUT", Self::Server(_)) => Some(RequestKind::Update),
            ("DELETE", Self::Server(_)) => Some(RequestKind::Terminate),
            ("POST", Self::Switch(_, Course::Start)) => Some(RequestKind::Start),
            _ => None,
        }
    }
}

impl Turn<'_> {
    /// Does to `resource` what the method of the call says.
    pub(super) fn serve(&mut self, resource: Resource) -> Done {
        use Resource as R;
        match (self.call.method.as_str(), resource) {
            ("GET", R::Servers) => self.list_servers(),
            ("POST", R::Servers) => self.create_server(),
            ("GET", R::Server(id)) => self.show_server(id),
            ("PUT", R::Server(id)) => self.change_server(id),
            ("DELETE", R::Server(id)) => self.remove_server(id),
            ("GET", R::ActionsOf(server)) => self.list_actions_of(server),
            ("POST", R::Switch(server, course)) => self.switch_server(server, course),
            ("POST", R::Protection(server)) => self.protect_server(server),
            ("GET", R::Actions) => self.list_actions(),
            ("GET", R::Action(id)) => self.show_action(id),
            ("GET", R::Keys) => self.list_keys(),
            ("POST", R::Keys) => self.add_key(),
            ("GET", R::Key(id)) => self.show_key(id),
            ("PUT", R::Key(id)) => self.change_key(id),
            ("DELETE", R::Key(id)) => self.remove_key(id),
            ("GET", R::Types) => self.list_types(),
            ("GET", R::Type(id)) => self.show_type(id),
            ("GET", R::Images) => self.list_images(),
            ("GET", R::Image(id)) => self.show_image(id),
            ("GET", R::Places) => self.list_places(),
            ("GET", R::Place(id)) => self.show_place(id),
            ("GET", R::Pricing) => self.show_pricing(),
            (_, R::Datacenters) => {
                let gone = "this endpoint is no longer available, use locations";
                Err(Problem::retired(gone, "2025-12-16-phasing-out-datacenters").into())
            }
            _ => Err(Problem::no_method().into()),
        }
    }
}

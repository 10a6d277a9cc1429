//! What the API knows of an instance and the world does not.

use std::time::Duration;

use crate::emulators::aws::ids::derived;
use crate::emulators::aws::images::Image;
use crate::emulators::aws::network::{Subnet, subnets};
use crate::emulators::aws::places::Place;
use crate::world::{Moment, Seen};

/// One instance.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Whether it was ordered through the API.
    pub(crate) ordered: bool,
    pub(crate) region: &'static str,
    /// `None` where there is no network it could be in.
    pub(crate) subnet: Option<Subnet>,
    /// Whether it gets an address that can be reached from elsewhere.
    pub(crate) public: bool,
    /// The id of its image.
    pub(crate) image: Option<String>,
    pub(crate) root_device: &'static str,
    /// The name of its key pair.
    pub(crate) key: Option<String>,
    pub(crate) public_keys: Vec<String>,
    pub(crate) user_data: Option<String>,
    /// The ids of its security groups.
    pub(crate) groups: Vec<String>,
    pub(crate) token: Option<String>,
    pub(crate) reservation: String,
    /// Its place among those ordered with it.
    pub(crate) index: usize,
    /// Whether it is protected from termination.
    pub(crate) protected: bool,
    /// Whether, being a spot instance, it may be stopped and started.
    pub(crate) persistent: bool,
    /// Whether its metadata is told only to who asks for a token first.
    pub(crate) needs_metadata_token: bool,
    pub(crate) created: Moment,
    /// When it was stopped last.
    pub(crate) stopped: Option<Moment>,
    /// Since when it is gone or going.
    pub(crate) ended: Option<Duration>,
    pub(crate) reason: Option<Reason>,
}

/// Why an instance is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Terminated,
    Stopped,
    Interrupted,
    Failed,
}

impl Reason {
    /// As the API says it.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Terminated => ("Client.UserInitiatedShutdown", "User initiated shutdown"),
            Self::Stopped => ("Client.UserInitiatedShutdown", "User initiated shutdown"),
            Self::Interrupted => ("Server.SpotInstanceTermination", "Spot instance termination"),
            Self::Failed => ("Server.InternalError", "Internal error on launch"),
        }
    }
}

impl Record {
    /// Of an instance that was not ordered through the API.
    pub(crate) fn of(seen: &Seen, has_default: bool) -> Self {
        let place = Place::find(&seen.spec.region.0).or_else(|| Place::find("us-east-1"));
        let region = place.map_or("us-east-1", |place| place.region);
        let image = Image::newest(region, &seen.spec.image.0, seen.spec.arch);
        let subnets = place.map(|place| subnets(place, has_default)).unwrap_or_default();
        Self {
            ordered: false,
            region,
            subnet: subnets.into_iter().next_back(),
            public: true,
            image: image.map(|image| image.id()),
            root_device: image.map_or("/dev/sda1", |image| image.root_device()),
            key: None,
            public_keys: Vec::new(),
            user_data: None,
            groups: Vec::new(),
            token: None,
            reservation: derived("r", &[&seen.id.0]),
            index: 0,
            protected: false,
            persistent: false,
            needs_metadata_token: false,
            created: Moment::default(),
            stopped: None,
            ended: None,
            reason: None,
        }
    }
}

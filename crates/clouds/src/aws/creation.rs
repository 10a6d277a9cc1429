//! From an order to exactly one instance.
//!
//! ```text
//! look by tags ──> there is one ────────────────────────────────> it is the instance
//!      │ none
//!      v
//! order (market, zone, attempt) ──> an instance that lives ─────> it is the instance
//!      ├── one that has ended, or a mismatch with one ──> the next attempt
//!      ├── a mismatch with one that is not visible ─────> later again, then the next attempt
//!      ├── sold out ──> the next zone; after the last, on demand instead of spot
//!      └── anything else ──> the failure
//! ```
//!
//! Each order has a token of its own, so that one whose answer was lost can be sent again. Spot is asked
//! for by the order itself, since EC2 Fleet is closed to some accounts. Before an order on
//! demand is sent instead, it is looked whether the refused one made an instance all the same.

use stagecraft_core::cloud::{CloudError, CloudErrorKind, CreateInstance};
use stagecraft_core::inventory::{Instance, Spec};

use super::account::all;
use super::group::{SOON, not_there_yet};
use super::labels::{self, Market};
use super::order::Order;
use super::query::Query;
use super::refusal::{MISMATCH, NO_GROUP, speaks_against_spot};
use super::{AwsProvider, catalogue, exchange, wire};
use crate::Doing;
use crate::http::{Api, Failed};

/// No host is ordered more often than this within a day.
const MOST_ATTEMPTS: usize = 40;
/// How often an instance that a token stands for is looked for before it is taken to be long gone.
const LOOKS: u32 = 3;

/// Where an instance can be put.
struct Seats {
    subnets: Vec<wire::Subnet>,
    is_own: bool,
}

impl AwsProvider {
    pub(super) async fn order(&self, request: &CreateInstance) -> Result<Instance, CloudError> {
        let CreateInstance { owner, spec, marks, pins, .. } = request;
        let before = super::reading(format!("create host `{}`", owner.host));
        let doing = Doing { changes: true, ..before.clone() };
        let invalid = |why: String| before.failed(CloudErrorKind::InvalidInput(why));
        let written = |market: &Market| {
            labels::written(owner, &spec.image, marks, pins, market)
                .map_err(|bad| invalid(bad.to_string()))
        };
        written(&Market::OnDemand)?;
        let Some(key) = &self.ssh_key_name else {
            let hint = "set `ssh_key_name` to the name of a key pair in the region; `stagecraft \
                        validate --online` lists them";
            return Err(invalid("no SSH key is given that could log in".to_owned()).with_hint(hint));
        };
        let api = self.account.ec2(&before, &spec.region)?;
        let (seen, image, seats) = tokio::try_join!(
            self.look(&api, &before, exchange::instances_of(owner)),
            self.image(&before, spec),
            self.seats(&api, &before, spec),
        )?;
        if let Some(instance) = self.living(&seen, request) {
            return Ok(instance);
        }
        let vpc = seats.subnets[0].vpc_id.clone();
        let group = self.group(&doing, &spec.region, &vpc, &owner.scope).await?;

        let mut market = if spec.spot { Market::Spot } else { Market::OnDemand };
        loop {
            let labels = written(&market)?;
            let mut refused = None;
            for subnet in &seats.subnets {
                let order = Order {
                    asked: request,
                    labels: &labels,
                    market: &market,
                    image: &image,
                    key,
                    subnet,
                    is_own_subnet: seats.is_own,
                    group: &group,
                    attempt: seen.iter().filter(|of| exchange::is_ended(of)).count(),
                };
                match self.place(&api, &doing, order).await {
                    Ok(instance) => return Ok(instance),
                    Err(failed) if is_sold_out(&failed) || is_no_spot(&failed, &market) => {
                        let next_zone = is_sold_out(&failed);
                        refused = Some(failed);
                        if !next_zone {
                            break;
                        }
                    }
                    Err(failed) if failed.is_code(NO_GROUP) => {
                        self.forget_group(&vpc, &owner.scope).await;
                        return Err(not_there_yet(&before, &group));
                    }
                    Err(failed) => return Err(failed.into()),
                }
            }
            let Some(refused) = refused else {
                return Err(invalid("there is no zone to order it in".to_owned()));
            };
            if market != Market::Spot {
                return Err(self.sold_out(refused, spec, &seats));
            }
            let seen = self.look(&api, &before, exchange::instances_of(owner)).await?;
            if let Some(instance) = self.living(&seen, request) {
                return Ok(instance);
            }
            market = Market::Instead(told_code(&refused));
        }
    }

    /// Sends one order, with other attempts as long as it stands for an instance that has ended.
    async fn place(
        &self,
        api: &Api,
        doing: &Doing,
        mut order: Order<'_>,
    ) -> Result<Instance, Failed> {
        let last = order.attempt + MOST_ATTEMPTS;
        while order.attempt < last {
            let made: wire::Reservation = match api.ask(doing, &order.request()).await {
                Ok(made) => made,
                Err(failed) if failed.is_code(MISMATCH) => {
                    if let Some(instance) = self.behind(api, doing, &order).await? {
                        return Ok(instance);
                    }
                    order.attempt += 1;
                    continue;
                }
                Err(failed) => return Err(failed),
            };
            if made.instances_set.items.iter().any(exchange::is_ended) {
                order.attempt += 1;
                continue;
            }
            return self.living(&made.instances_set.items, order.asked).ok_or_else(|| {
                let why = "the new instance lacks the tags it was ordered with".to_owned();
                doing.in_doubt(CloudErrorKind::UnexpectedAnswer(why)).into()
            });
        }
        let why = format!("{MOST_ATTEMPTS} instances of the host have ended within a day");
        Err(doing.failed(CloudErrorKind::Conflict(why)).with_hint("try again tomorrow").into())
    }

    /// The instance that an order of the same token made with other words, e.g. another run's; `None`
    /// when it has ended.
    ///
    /// # Errors
    /// It is not visible, and may only be too young for that.
    async fn behind(
        &self,
        api: &Api,
        doing: &Doing,
        order: &Order<'_>,
    ) -> Result<Option<Instance>, Failed> {
        let token = order.token();
        let looking = Doing { changes: false, ..doing.clone() };
        let by_tags = exchange::instances_of(&order.asked.owner);
        let by_tags = self.look(api, &looking, by_tags).await?;
        if let Some(instance) = self.living(&by_tags, order.asked) {
            return Ok(Some(instance));
        }
        let ended = by_tags.iter().any(|of| of.client_token.as_deref() == Some(&token))
            || !self.look(api, &looking, exchange::instances_by_token(&token)).await?.is_empty();
        let looks = {
            let mut looked = self.looked();
            let looks = looked.entry(token).or_default();
            *looks += 1;
            *looks
        };
        if ended || looks >= LOOKS {
            return Ok(None);
        }
        let why = "it was ordered before, and what came of that is not visible yet".to_owned();
        Err(looking.failed(CloudErrorKind::ProviderFault(why)).retry_after(SOON).into())
    }

    async fn look(
        &self,
        api: &Api,
        doing: &Doing,
        query: Query,
    ) -> Result<Vec<wire::Instance>, CloudError> {
        let (found, _) = all::<wire::Reservations>(api, doing, query).await?;
        Ok(found.into_iter().flat_map(|of| of.instances_set.items).collect())
    }

    /// The oldest of these that lives and is what was ordered.
    fn living(&self, seen: &[wire::Instance], asked: &CreateInstance) -> Option<Instance> {
        let region = &asked.spec.region;
        let ours = seen.iter().filter_map(|of| exchange::instance(of, region, None));
        let living = ours.filter(|of| of.is_live() && of.owner == asked.owner);
        let oldest = living.min_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)))?;
        self.places()
            .insert(oldest.id.clone(), super::Place { region: region.clone(), seen: false });
        Some(oldest)
    }

    /// The AMI of an order, which its region has under an id of its own.
    async fn image(&self, doing: &Doing, spec: &Spec) -> Result<String, CloudError> {
        let place = (spec.region.clone(), spec.image.clone(), spec.arch);
        if let Some(id) = self.images.lock().await.get(&place) {
            return Ok(id.clone());
        }
        let found = self.find_image(doing, &spec.region, &spec.image, spec.arch).await?;
        let Some(id) = found else {
            let why = format!("there is no image `{}` for {}", spec.image, spec.arch);
            return Err(doing
                .failed(CloudErrorKind::InvalidInput(why))
                .with_hint("`stagecraft validate --online` lists the images there are"));
        };
        self.images.lock().await.insert(place, id.clone());
        Ok(id)
    }

    /// The subnets whose zones sell a type, in the order of their zones.
    async fn seats(&self, api: &Api, doing: &Doing, spec: &Spec) -> Result<Seats, CloudError> {
        let is_own = self.subnet_id.is_some();
        let place = (spec.region.clone(), spec.size.clone());
        if let Some(subnets) = self.seats.lock().await.get(&place) {
            return Ok(Seats { subnets: subnets.clone(), is_own });
        }
        let pattern = [spec.size.as_str().to_owned()];
        let ((mut subnets, _), (offerings, _)) = tokio::try_join!(
            all::<wire::Subnets>(api, doing, self.subnets_to_use()),
            all::<wire::Offerings>(api, doing, catalogue::offerings(&pattern)),
        )?;
        let region = &spec.region;
        if subnets.is_empty() {
            let (why, hint) = catalogue::no_subnet(self.subnet_id.as_deref(), region);
            return Err(doing.failed(CloudErrorKind::InvalidInput(why)).with_hint(hint));
        }
        let zones = catalogue::zones(offerings);
        let sells = |of: &wire::Subnet| {
            zones.get(spec.size.as_str()).is_some_and(|zones| zones.contains(&of.availability_zone))
        };
        subnets.retain(sells);
        subnets.sort_by(|a, b| a.availability_zone.cmp(&b.availability_zone));
        if subnets.is_empty() {
            let why = format!("no zone of `{region}` with a subnet to use sells `{}`", spec.size);
            let failure = doing.failed(CloudErrorKind::SoldOut(why));
            return Err(failure.with_hint(self.offers.instead_of(spec)));
        }
        self.seats.lock().await.insert(place, subnets.clone());
        Ok(Seats { subnets, is_own })
    }

    /// The refusal of the last place, with all the places it was like that in.
    fn sold_out(&self, refused: Failed, spec: &Spec, seats: &Seats) -> CloudError {
        let error = CloudError::from(refused);
        let CloudErrorKind::SoldOut(why) = &error.kind else { return error };
        let zones: Vec<&str> =
            seats.subnets.iter().map(|of| of.availability_zone.as_str()).collect();
        let kind = match zones[..] {
            [] | [_] => error.kind,
            _ => CloudErrorKind::SoldOut(format!("{why}; tried were {}", zones.join(", "))),
        };
        CloudError { kind, hints: vec![self.offers.instead_of(spec)], ..error }
    }
}

fn is_sold_out(failed: &Failed) -> bool {
    matches!(failed.error.kind, CloudErrorKind::SoldOut(_))
}

fn is_no_spot(failed: &Failed, market: &Market) -> bool {
    let code = failed.refused.as_ref().map(|(_, code)| code.as_str()).unwrap_or_default();
    *market == Market::Spot && speaks_against_spot(code)
}

/// The code of a refusal as AWS writes it.
fn told_code(failed: &Failed) -> String {
    let told = failed.error.kind.to_string();
    let code = failed.refused.as_ref().map(|(_, code)| code.clone()).unwrap_or_default();
    let written = told.rsplit_once('(').map(|(_, end)| end.trim_end_matches(')').to_owned());
    written.filter(|text| text.eq_ignore_ascii_case(&code)).unwrap_or(code)
}

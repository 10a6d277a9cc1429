//! Regions that the file lists and its provider does not have.

use std::collections::BTreeSet;

use super::Config;
use super::problem::Problem;
use super::source::quoted;
use super::words::nearest;
use crate::desired::ProviderId;
use crate::error::Code;
use crate::name::Region;

impl Config {
    /// What is wrong with the regions listed for a provider that has these. Only where a list decides in
    /// which regions hosts are looked for: a slip there would hide some.
    #[must_use]
    pub fn unknown_regions(&self, id: ProviderId, known: &BTreeSet<Region>) -> Vec<Problem> {
        let Some(provider) = self.providers.get(&id).filter(|_| id == ProviderId::Aws) else {
            return Vec::new();
        };
        let unknown = provider.regions_at.iter().filter(|(region, _)| !known.contains(region));
        unknown
            .map(|(region, span)| {
                let near = nearest(region.as_str(), known.iter().map(Region::as_str));
                let label = near.map_or_else(
                    || "not a region of this account".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                Problem::new(
                    Code::CONFIG_INVALID_VALUE,
                    format!(
                        "`cloud.providers.{id}.regions` has {}, which is no region of this {id} \
                         account",
                        quoted(region.as_str())
                    ),
                )
                .at(span.clone())
                .with_label(label)
                .with_help("correct it, or take it out; a region may have to be enabled first")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Problems, parse};

    use super::*;

    #[test]
    fn a_region_that_does_not_exist_is_told_with_its_place_and_the_one_that_is_meant() {
        let known = ["eu-west-1", "us-east-1"].map(Region::from).into();
        let problems = |id: ProviderId| {
            let text = format!(
                "project: {{ name: shop }}\ncloud:\n  providers:\n    {id}:\n      \
                 regions: [us-east-1, eu-wets-1, mars-1]\n"
            );
            let credentials = if id == ProviderId::Aws { "" } else { "      token_env: T\n" };
            let text = format!("{text}{credentials}");
            let found = parse("f.yml", text.as_bytes()).unwrap().unknown_regions(id, &known);
            Problems::of_file("f.yml", text.as_bytes(), found)
        };
        let told: Vec<String> = problems(ProviderId::Aws)
            .problems
            .iter()
            .map(|of| {
                let at = of.position.expect("a place");
                format!("{}:{} {of}", at.line, at.column)
            })
            .collect();
        assert_eq!(
            told,
            [
                "5:28 `cloud.providers.aws.regions` has `eu-wets-1`, which is no region of this aws \
                 account (did you mean `eu-west-1`?)",
                "5:39 `cloud.providers.aws.regions` has `mars-1`, which is no region of this aws \
                 account (not a region of this account)",
            ]
        );
        assert!(problems(ProviderId::Hetzner).problems.is_empty());
    }
}

//! The sizes there are.

use serde_json::{Value, json};

use super::places;

/// A size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) slug: &'static str,
    memory: u32,
    vcpus: u32,
    disk: u32,
    transfer: f64,
    /// Per month, in cents of a dollar.
    pub(super) cents: u32,
    sold: Sold,
    description: &'static str,
    gpu: Option<(u32, &'static str, u32)>,
}

/// Where a size is sold.
#[derive(Clone, Copy, Debug)]
enum Sold {
    Everywhere,
    In(&'static [&'static str]),
    /// Nowhere any more; those who have it keep it.
    Nowhere,
}

use Sold::{Everywhere, In, Nowhere};

/// The sizes, cheapest first.
#[rustfmt::skip]
pub(super) const SIZES: [Size; 20] = [
    plain("s-1vcpu-512mb-10gb", 512, 1, 10, 0.5, 400, In(&["nyc1", "fra1", "ams3"]), "Basic"),
    plain("s-1vcpu-1gb", 1024, 1, 25, 1.0, 600, Everywhere, "Basic"),
    plain("512mb", 512, 1, 20, 1.0, 500, Nowhere, "Legacy Basic"),
    plain("s-1vcpu-2gb", 2048, 1, 50, 2.0, 1200, Everywhere, "Basic"),
    plain("s-1vcpu-2gb-amd", 2048, 1, 50, 2.0, 1400, In(&["nyc3", "sfo3", "fra1", "ams3", "sgp1"]), "Premium AMD"),
    plain("s-2vcpu-2gb", 2048, 2, 60, 3.0, 1800, Everywhere, "Basic"),
    plain("s-2vcpu-4gb", 4096, 2, 80, 4.0, 2400, Everywhere, "Basic"),
    plain("s-2vcpu-4gb-intel", 4096, 2, 80, 4.0, 2800, In(&["nyc1", "nyc3", "fra1", "lon1"]), "Premium Intel"),
    plain("c-2", 4096, 2, 25, 4.0, 4200, In(&["nyc1", "nyc3", "sfo3", "fra1", "ams3", "lon1", "sgp1", "tor1"]), "CPU-Optimized"),
    plain("s-4vcpu-8gb", 8192, 4, 160, 5.0, 4800, Everywhere, "Basic"),
    plain("g-2vcpu-8gb", 8192, 2, 25, 4.0, 6300, In(&["nyc1", "nyc3", "sfo3", "fra1", "sgp1"]), "General Purpose"),
    plain("c-4", 8192, 4, 50, 5.0, 8400, In(&["nyc1", "nyc3", "sfo3", "fra1", "ams3", "lon1", "sgp1", "tor1"]), "CPU-Optimized"),
    plain("m-2vcpu-16gb", 16384, 2, 50, 4.0, 8400, In(&["nyc1", "nyc3", "fra1"]), "Memory-Optimized"),
    plain("s-8vcpu-16gb", 16384, 8, 320, 6.0, 9600, Everywhere, "Basic"),
    plain("g-4vcpu-16gb", 16384, 4, 50, 5.0, 12600, In(&["nyc1", "nyc3", "sfo3", "fra1", "sgp1"]), "General Purpose"),
    plain("c-8", 16384, 8, 100, 6.0, 16800, In(&["nyc1", "nyc3", "sfo3", "fra1", "ams3", "sgp1"]), "CPU-Optimized"),
    plain("so-2vcpu-16gb", 16384, 2, 300, 4.0, 13100, Nowhere, "Storage-Optimized"),
    plain("s-20vcpu-96gb", 98304, 20, 1920, 13.0, 48000, Nowhere, "Basic"),
    with_gpu("gpu-4000adax1-20gb", 32768, 8, 500, 10.0, 56500, In(&["tor1", "nyc2"]), (1, "nvidia_rtx4000_ada", 20)),
    with_gpu("gpu-h100x1-80gb", 245_760, 20, 720, 15.0, 252_288, In(&["tor1", "nyc2"]), (1, "nvidia_h100", 80)),
];

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
const fn plain(
    slug: &'static str,
    memory: u32,
    vcpus: u32,
    disk: u32,
    transfer: f64,
    cents: u32,
    sold: Sold,
    description: &'static str,
) -> Size {
    Size { slug, memory, vcpus, disk, transfer, cents, sold, description, gpu: None }
}

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
const fn with_gpu(
    slug: &'static str,
    memory: u32,
    vcpus: u32,
    disk: u32,
    transfer: f64,
    cents: u32,
    sold: Sold,
    gpu: (u32, &'static str, u32),
) -> Size {
    let description = "GPU";
    Size { slug, memory, vcpus, disk, transfer, cents, sold, description, gpu: Some(gpu) }
}

impl Size {
    /// The size of this slug.
    pub(super) fn named(slug: &str) -> Option<&'static Self> {
        SIZES.iter().find(|size| size.slug == slug)
    }

    /// Whether it has graphics processors.
    pub(super) fn has_gpu(&self) -> bool {
        self.gpu.is_some()
    }

    /// Where it can be ordered.
    pub(super) fn regions(&self) -> Vec<&'static str> {
        match self.sold {
            Everywhere => places::OPEN.to_vec(),
            In(places) => places.to_vec(),
            Nowhere => Vec::new(),
        }
    }

    /// The size as the API shows it. Prices have the noise of short floats.
    pub(super) fn shown(&self) -> Value {
        let monthly = f64::from(self.cents) / 100.0;
        let hourly = (monthly / 672.0 * 1e5).round() / 1e5;
        let mut size = json!({
            "slug": self.slug,
            "memory": self.memory,
            "vcpus": self.vcpus,
            "disk": self.disk,
            "transfer": self.transfer,
            "price_monthly": monthly,
            "price_hourly": short(hourly),
            "regions": self.regions(),
            "available": !matches!(self.sold, Nowhere),
            "description": self.description,
            "disk_info": [{ "type": "local", "size": { "amount": self.disk, "unit": "gib" } }],
        });
        if let Some(gpu) = self.gpu_info() {
            size["gpu_info"] = gpu;
        }
        size
    }

    /// What is said of the graphics processors, if there are any.
    pub(super) fn gpu_info(&self) -> Option<Value> {
        let (count, model, vram) = self.gpu?;
        let vram = json!({ "amount": vram, "unit": "gib" });
        Some(json!({ "count": count, "model": model, "vram": vram }))
    }

    /// What a droplet of this size says of itself besides the size.
    pub(super) fn hardware(&self) -> (u32, u32, u32) {
        (self.memory, self.vcpus, self.disk)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "that is what makes the noise")]
fn short(price: f64) -> f64 {
    f64::from(price as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_by_the_hour_have_noise_and_are_close() {
        let price = Size::named("512mb").unwrap().shown()["price_hourly"].as_f64().unwrap();
        assert_eq!(price.to_string(), "0.007439999841153622");
    }

    #[test]
    fn every_size_is_sold_in_regions_that_exist() {
        for size in &SIZES {
            for region in size.regions() {
                assert!(places::Place::named(region).is_some(), "{} in {region}", size.slug);
            }
        }
    }
}

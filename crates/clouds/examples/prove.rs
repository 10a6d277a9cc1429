use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stagecraft_clouds::local::*;
use stagecraft_core::cloud::*;
use stagecraft_core::inventory::*;
use stagecraft_core::name::*;
#[derive(Debug)]
struct P;
impl Progress for P { fn line(&self, t: &str) { eprintln!("| {t}"); } }
#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let (what, key) = (args.next().unwrap(), std::fs::read_to_string("/tmp/prove/key.pub").unwrap());
    let cloud = Arc::new(LocalProvider::new(LocalSettings {
        engine: EngineAddress::parse(std::env::var("DOCKER_HOST").ok().as_deref(), std::env::var("DOCKER_CERT_PATH").ok().as_deref().map(std::path::Path::new)).unwrap(),
        authorized_keys: vec![key.trim().into()],
        cache: "/tmp/prove/cache".into(),
        environment: vec![],
        progress: Arc::new(P),
    }));
    let image: Image = std::env::var("IMG").unwrap_or("debian-12".into()).as_str().into();
    let scope = Scope { project: "prove".parse().unwrap(), environment: "dev".parse().unwrap() };
    match what.as_str() {
        "who" => println!("{:?}", cloud.validate_credentials().await.map(|a| a.name).map_err(|e| (e.to_string(), e.hints))),
        "list" => for i in cloud.list(&scope).await.unwrap() { println!("{} {:?} {:?} {:?} {}", i.owner.host, i.lifecycle, i.address, i.ssh, i.id); },
        "down" => for i in cloud.list(&scope).await.unwrap() { let t = Instant::now(); println!("{:?} {:.2}", cloud.terminate(&i.id).await.unwrap(), t.elapsed().as_secs_f32()); },
        "start" => for i in cloud.list(&scope).await.unwrap() { println!("{:?}", cloud.start(&i.id).await); },
        "up" => {
            let start = Instant::now();
            let tasks: Vec<_> = args.map(|host| { let (cloud, scope, image) = (cloud.clone(), scope.clone(), image.clone()); tokio::spawn(async move {
                let owner = Owner { scope: scope.clone(), host: host.parse().unwrap() };
                let r = CreateInstance { marks: Marks { name: scope.cloud_name(&owner.host), role: "app".parse().unwrap(), protected: false, tags: Default::default() }, owner,
                    spec: Spec { region: "local".into(), size: "small".into(), image, arch: stagecraft_core::desired::Arch::Amd64, spot: false } };
                let t = Instant::now();
                let i = match cloud.create(&r).await { Ok(i) => i, Err(e) => { println!("{host}: {e}\n  hints {:?} maybe_done {}", e.hints, e.maybe_done); return } };
                let created = t.elapsed();
                loop {
                    if let Some(e) = cloud.get(&i.id).await.unwrap().and_then(|i| i.endpoint()) {
                        let banner = tokio::task::spawn_blocking(move || { let mut b = [0; 4]; let mut s = std::net::TcpStream::connect((e.host.as_str(), e.port.unwrap_or(22))).ok()?; s.set_read_timeout(Some(Duration::from_secs(1))).ok()?; s.read_exact(&mut b).ok()?; (&b == b"SSH-").then_some(e) }).await.unwrap();
                        if let Some(e) = banner { println!("{host} created {:.2} banner {:.2} since start {:.2} at {}:{:?}", created.as_secs_f32(), t.elapsed().as_secs_f32(), start.elapsed().as_secs_f32(), e.host, e.port); break }
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }) }).collect();
            for t in tasks { t.await.unwrap(); }
        }
        _ => panic!(),
    }
}

//! Values for tests of several modules.

use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::samples;

/// An order for a host of `shop/staging`.
pub(super) fn order(host: &str) -> CreateInstance {
    samples::order(ProviderId::Aws, host)
}

/// The answer to `DescribeInstances` in which that order runs, shortened.
pub(super) fn described(inside: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
  <reservationSet>
    <item>
      <reservationId>r-1234567890abcdef0</reservationId>
      <ownerId>123456789012</ownerId>
      <groupSet/>
      <instancesSet>
        <item>
          <instanceId>i-1234567890abcdef0</instanceId>
          <imageId>ami-bff32ccc</imageId>
          <instanceType>t3.small</instanceType>
          <architecture>x86_64</architecture>
          <launchTime>2026-11-20T10:00:00.000Z</launchTime>
          <privateIpAddress>192.168.1.88</privateIpAddress>
          <tagSet>
            <item><key>Name</key><value>staging-db-1</value></item>
            <item><key>blue</key><value/></item>
            <item><key>stagecraft.environment</key><value>staging</value></item>
            <item><key>stagecraft.host</key><value>db-1</value></item>
            <item><key>stagecraft.image</key><value>debian-12</value></item>
            <item><key>stagecraft.project</key><value>shop</value></item>
            <item><key>stagecraft.role</key><value>app</value></item>
            <item><key>team</key><value>search</value></item>
          </tagSet>
          {inside}
        </item>
      </instancesSet>
    </item>
  </reservationSet>
</DescribeInstancesResponse>"#
    )
}

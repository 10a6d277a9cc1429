"""Drives the EC2 emulator with Amazon's own Python client. Arguments: the URL of the API, a public key."""

import base64
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, _public_key = sys.argv[1:]
KEY = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
CONFIG = Config(retries={"total_max_attempts": 1})


def client(service, region="eu-central-1", **key):
    return boto3.client(service, region_name=region, endpoint_url=url, config=CONFIG, **{**KEY, **key})


def refused(code, status, request, *args, **kwargs):
    try:
        request(*args, **kwargs)
    except ClientError as error:
        found = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert found == (code, status), (error.response, code, status)
        assert error.response["ResponseMetadata"]["RequestId"] or error.response.get("RequestId")
        return
    raise AssertionError(f"not refused with {code}")


ec2, ssm, sts = client("ec2"), client("ssm"), client("sts")
assert sts.get_caller_identity()["Account"] == "123456789012"
refused("SignatureDoesNotMatch", 403, client("ec2", aws_secret_access_key="mistyped").describe_regions)
refused("AuthFailure", 401, client("ec2", aws_access_key_id="AKIAUNKNOWN").describe_regions)
refused("InvalidSignatureException", 400, client("ssm", aws_secret_access_key="mistyped").get_parameter, Name="/x")

regions = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
assert {"us-east-1", "eu-central-1"} <= regions and "ap-southeast-3" not in regions, regions
zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
assert zones == ["eu-central-1a", "eu-central-1b", "eu-central-1c"], zones
types = {}
for page in ec2.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 5}):
    types.update({kind["InstanceType"]: kind for kind in page["InstanceTypes"]})
assert types["t3.small"]["MemoryInfo"]["SizeInMiB"] == 2048
assert types["t4g.small"]["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"]
assert types["t4g.small"]["VCpuInfo"]["DefaultVCpus"] == 2
offered = ec2.describe_instance_type_offerings(
    LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["t4g.small"]}]
)["InstanceTypeOfferings"]
assert {one["Location"] for one in offered} == {"eu-central-1b", "eu-central-1c"}, offered

path = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
parameter = ssm.get_parameter(Name=path)["Parameter"]
image = parameter["Value"]
assert parameter["DataType"] == "aws:ec2:image", parameter
refused("ParameterNotFound", 400, ssm.get_parameter, Name="/aws/service/debian/release/9/latest/amd64")
shown = ec2.describe_images(ImageIds=[image])["Images"][0]
assert (shown["OwnerId"], shown["Architecture"]) == ("099720109477", "x86_64"), shown
named = ec2.describe_images(Owners=["136693071363"], Filters=[{"Name": "name", "Values": ["debian-12-arm64-*"]}])["Images"]
assert len(named) == 2, named
key = ec2.describe_key_pairs(KeyNames=["deploy"], IncludePublicKey=True)["KeyPairs"][0]
assert (key["KeyType"], key["PublicKey"].split()[0]) == ("ed25519", "ssh-ed25519"), key

vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
assert len(subnets) == 3 and all(subnet["MapPublicIpOnLaunch"] for subnet in subnets), subnets
tag = {"Key": "stack", "Value": "shop & co <1>"}
group = ec2.create_security_group(
    GroupName="ssh", Description="lets SSH in", VpcId=vpc,
    TagSpecifications=[{"ResourceType": "security-group", "Tags": [tag]}],
)["GroupId"]
rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "any"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
assert ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])["Return"] is True
refused("InvalidPermission.Duplicate", 400, ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[rule])
found = ec2.describe_security_groups(Filters=[{"Name": "tag:stack", "Values": [tag["Value"]]}])["SecurityGroups"]
assert [one["GroupId"] for one in found] == [group] and found[0]["Tags"] == [tag], found

order = {
    "ImageId": image, "InstanceType": "t3.small", "KeyName": "deploy", "MinCount": 1, "MaxCount": 1,
    "UserData": "#cloud-config\n", "ClientToken": "web-1/attempt-1",
    "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnets[0]["SubnetId"], "AssociatePublicIpAddress": True, "Groups": [group]}],
    "MetadataOptions": {"HttpTokens": "required"},
    "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3"}}],
    "TagSpecifications": [{"ResourceType": kind, "Tags": [tag, {"Key": "Name", "Value": "web-1"}]} for kind in ("instance", "volume")],
}
refused("DryRunOperation", 412, ec2.run_instances, **order, DryRun=True)
made = ec2.run_instances(**order)["Instances"][0]
instance = made["InstanceId"]
assert ec2.run_instances(**order)["Instances"][0]["InstanceId"] == instance
refused("IdempotentParameterMismatch", 400, ec2.run_instances, **{**order, "InstanceType": "t3.micro"})
ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
seen = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
assert seen["State"] == {"Code": 16, "Name": "running"} and seen["PublicIpAddress"] and seen["PrivateIpAddress"], seen
assert seen["SecurityGroups"] == [{"GroupId": group, "GroupName": "ssh"}] and seen["Placement"]["AvailabilityZone"] == "eu-central-1a"
assert seen["LaunchTime"].year == 2023, "the clock of the emulated world"
assert client("ec2", "us-east-1").describe_instances()["Reservations"] == []
refused("DependencyViolation", 400, ec2.delete_security_group, GroupId=group)

many = ec2.run_instances(**{**order, "ClientToken": "many", "MaxCount": 11, "MinCount": 11, "InstanceType": "t3.micro"})["Instances"]
filters = [{"Name": "tag:stack", "Values": [tag["Value"]]}, {"Name": "instance-state-name", "Values": ["pending", "running"]}]
ids = [
    found["InstanceId"]
    for page in ec2.get_paginator("describe_instances").paginate(Filters=filters, PaginationConfig={"PageSize": 5})
    for reservation in page["Reservations"]
    for found in reservation["Instances"]
]
assert sorted(ids) == sorted([instance] + [one["InstanceId"] for one in many]), ids
refused("InvalidParameterCombination", 400, ec2.describe_instances, InstanceIds=[instance], MaxResults=5)

ec2.create_tags(Resources=[instance], Tags=[{"Key": "role", "Value": "web"}])
ec2.delete_tags(Resources=[instance], Tags=[{"Key": "stack"}])
tags = {one["Key"]: one["Value"] for one in ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["Tags"]}
assert tags == {"Name": "web-1", "role": "web"}, tags
ec2.stop_instances(InstanceIds=[instance])
ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
ec2.start_instances(InstanceIds=[instance])
ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": True})
refused("OperationNotPermitted", 400, ec2.terminate_instances, InstanceIds=[instance])
ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})

data = {"ImageId": image, "InstanceType": "c5.xlarge", "UserData": base64.b64encode(b"#!/bin/sh\n").decode()}
template = ec2.create_launch_template(LaunchTemplateName="spot", LaunchTemplateData=data)["LaunchTemplate"]["LaunchTemplateId"]
fleet = ec2.create_fleet(
    Type="instant", SpotOptions={"AllocationStrategy": "price-capacity-optimized"},
    TargetCapacitySpecification={"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "spot"},
    LaunchTemplateConfigs=[{"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Latest"},
                            "Overrides": [{"InstanceType": "c5.xlarge", "AvailabilityZone": zone} for zone in zones]}],
    TagSpecifications=[{"ResourceType": "instance", "Tags": [tag]}],
)
assert fleet["Errors"] == [] and fleet["Instances"][0]["Lifecycle"] == "spot", fleet
spot = fleet["Instances"][0]["InstanceIds"][0]
found = ec2.describe_launch_templates(LaunchTemplateNames=["spot"])["LaunchTemplates"]
assert [one["LaunchTemplateId"] for one in found] == [template], found
ec2.delete_launch_template(LaunchTemplateId=template)

all_of_them = [instance, spot] + [one["InstanceId"] for one in many]
refused("InvalidInstanceID.NotFound", 400, ec2.terminate_instances, InstanceIds=[instance, "i-0123456789abcdef0"])
refused("InvalidInstanceID.Malformed", 400, ec2.terminate_instances, InstanceIds=["i-x"])
changes = ec2.terminate_instances(InstanceIds=all_of_them)["TerminatingInstances"]
assert {one["CurrentState"]["Name"] for one in changes} == {"shutting-down"}, changes
ec2.get_waiter("instance_terminated").wait(InstanceIds=all_of_them, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
assert ec2.run_instances(**order)["Instances"][0]["State"]["Name"] == "terminated"
ec2.delete_security_group(GroupId=group)
refused("InvalidGroup.NotFound", 400, ec2.describe_security_groups, GroupIds=[group])
print("ok: aws")

using System.Net;
using Distill.Teacher.Remote.Network;

namespace Distill.Teacher.Remote.Tests.Network;

public sealed class AddressRuleTests
{
    [Theory]
    [InlineData("93.184.215.14", "Public")]
    [InlineData("2606:4700::6810:84e5", "Public")]
    [InlineData("::ffff:93.184.215.14", "Public")]
    [InlineData("64:ff9b::5db8:d70e", "Public")] // 93.184.215.14 through NAT64
    [InlineData("127.0.0.1", "Loopback,Private")]
    [InlineData("127.8.9.10", "Loopback,Private")]
    [InlineData("::1", "Loopback,Private")]
    [InlineData("::ffff:127.0.0.1", "Loopback,Private")]
    [InlineData("64:ff9b::7f00:1", "Loopback,Private")]
    [InlineData("10.1.2.3", "Private")]
    [InlineData("172.16.0.1", "Private")]
    [InlineData("172.31.255.255", "Private")]
    [InlineData("192.168.178.1", "Private")]
    [InlineData("100.64.0.1", "Private")]
    [InlineData("fd12:3456::1", "Private")]
    [InlineData("::ffff:10.1.2.3", "Private")]
    [InlineData("172.32.0.1", "Public")]
    [InlineData("169.254.169.254", "")] // metadata services of the clouds
    [InlineData("::ffff:169.254.169.254", "")]
    [InlineData("fe80::1", "")]
    [InlineData("0.0.0.0", "")]
    [InlineData("::", "")]
    [InlineData("224.0.0.1", "")]
    [InlineData("255.255.255.255", "")]
    [InlineData("ff02::1", "")]
    [InlineData("2002:7f00:1::", "")] // 6to4 of 127.0.0.1
    [InlineData("2001:db8::1", "")]
    [InlineData("fec0::1", "")]
    public void An_address_is_allowed_in_its_own_network_alone(string address, string scopes)
    {
        var allowed = Enum.GetValues<NetworkScope>().Where(scope => AddressRule.Allows(scope, IPAddress.Parse(address)));
        string.Join(',', allowed).ShouldBe(scopes);
    }

    [Theory]
    [InlineData("https://api.example.com/v1", NetworkScope.Public, "")]
    [InlineData("http://localhost:8000/v1", NetworkScope.Loopback, "")]
    [InlineData("http://192.168.1.5:8000/v1", NetworkScope.Private, "")]
    [InlineData("http://api.example.com/v1", NetworkScope.Public, "in the clear")]
    [InlineData("https://localhost/v1", NetworkScope.Public, "write network: loopback")]
    [InlineData("https://[::1]/v1", NetworkScope.Public, "write network: loopback")]
    [InlineData("https://0x7f.1/v1", NetworkScope.Public, "write network: loopback")]
    [InlineData("https://10.0.0.1/v1", NetworkScope.Public, "write network: private")]
    [InlineData("https://169.254.169.254/v1", NetworkScope.Private, "no endpoint may lie there")]
    [InlineData("https://93.184.215.14/v1", NetworkScope.Private, "write network: public")]
    [InlineData("ftp://api.example.com", NetworkScope.Public, "not a web address")]
    [InlineData("api.example.com/v1", NetworkScope.Public, "not a web address")]
    [InlineData("", NetworkScope.Public, "not a web address")]
    public void What_an_address_says_of_itself_is_checked_before_any_connection(string address, NetworkScope scope, string expected)
    {
        string said = string.Concat(EndpointRule.Faults(address, scope).Select(fault => $"{fault.Fault}; {fault.Remedy}"));
        if (expected.Length == 0) said.ShouldBeEmpty();
        else said.ShouldContain(expected);
    }

    [Fact]
    public void Every_fault_is_named_at_once_and_what_may_be_a_secret_is_not_shown()
    {
        var faults = EndpointRule.Faults("http://user:hunter22@127.0.0.1/v1?key=hunter33", NetworkScope.Public);
        faults.Count.ShouldBe(4);
        faults.ShouldAllBe(fault => !fault.ShowsValue);
        string.Concat(faults).ShouldNotContain("hunter");
    }
}

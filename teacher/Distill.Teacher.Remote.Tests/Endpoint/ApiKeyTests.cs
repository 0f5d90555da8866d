using Distill.Teacher.Remote.Endpoint;

namespace Distill.Teacher.Remote.Tests.Endpoint;

public sealed class ApiKeyTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  \n")]
    public void A_variable_that_is_not_set_is_named(string? value) =>
        Should.Throw<InvalidDataException>(() => ApiKey.FromEnvironment("SOME_KEY", _ => value)).Message
            .ShouldContain("SOME_KEY is not set");

    [Theory]
    [InlineData("sk-secret\nX-Header: 1")]
    [InlineData("sk-secret with space")]
    [InlineData("sk-secrét")]
    public void What_no_header_carries_is_refused_without_being_shown(string value) =>
        Should.Throw<InvalidDataException>(() => ApiKey.FromEnvironment("SOME_KEY", _ => value)).Message.ShouldNotContain("secr");

    [Theory]
    [InlineData("OPENAI_API_KEY", true)]
    [InlineData("_KEY2", true)]
    [InlineData("sk-proj-abc", false)]
    [InlineData("hf_AbCdEf", false)]
    [InlineData("2KEY", false)]
    [InlineData("", false)]
    public void A_pasted_key_is_no_variable_name(string text, bool expected) => ApiKey.IsVariableName(text).ShouldBe(expected);

    [Fact]
    public void Words_that_local_servers_take_for_a_key_are_left_in_texts()
    {
        ApiKey.FromEnvironment("K", _ => "EMPTY").Redact("the set is EMPTY").ShouldBe("the set is EMPTY");
        ApiKey.FromEnvironment("K", _ => " sk-0123456789\n").Redact("got sk-0123456789!").ShouldBe("got ***!");
    }
}

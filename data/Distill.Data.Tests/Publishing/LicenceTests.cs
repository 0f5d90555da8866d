using Distill.Data.Publishing.Licences;

namespace Distill.Data.Tests.Publishing;

/// <summary>Words of licences against words of a policy.</summary>
public sealed class LicenceTests
{
    /// <summary>Policy (licence | allow | forbid), the part's licence, and what the refusal must say.</summary>
    [Theory]
    [InlineData("mit||", "cc-by-nc-4.0", "cc-by-nc-4.0 says non-commercial, which mit does not")]
    [InlineData("apache-2.0||", "cc-by-sa-4.0", "does not go out under apache-2.0")]
    [InlineData("cc-by-4.0||", "cc-by-nd-4.0", "no-derivatives, so that nothing made from it goes out under cc-by-4.0")]
    [InlineData("cc-by-nd-4.0||", "cc-by-nd-4.0", "no-derivatives")]
    [InlineData("cc-by-nc-4.0||", "cc-by-nc-sa-4.0", "share-alike")]
    [InlineData("mit||", "gpl-3.0-or-later", "gpl-3.0 says share-alike")]
    [InlineData("mit||", "gemma", "gemma says share-alike")]
    [InlineData("||non-commercial", "cc-by-nc-sa-4.0", "says non-commercial, which the policy forbids")]
    [InlineData("||no-derivatives", "CC-BY-ND-4.0", "cc-by-nd-4.0 says no-derivatives, which the policy forbids")]
    [InlineData("||no-training", "openai-terms", "openai-terms says no-training")]
    [InlineData("||no-training", "llama3", "llama3 says no-training")]
    [InlineData("||naming", "llama3", "llama3 says naming")]
    [InlineData("||naming", "llama3.1", "llama3.1 says naming")]
    [InlineData("||use-restrictions", "bigscience-openrail-m", "says use-restrictions")]
    [InlineData("||unknown", "my-own", "its licence (my-own) is not known")]
    [InlineData("||unknown", null, "its licence (none is stated) is not known")]
    [InlineData("||apache-2.0", "Apache 2.0", "the policy forbids apache-2.0")]
    [InlineData("|mit,cc0-1.0|", "apache-2.0", "not among those that the policy allows (mit, cc0-1.0)")]
    [InlineData("|mit|", null, "its licence (none is stated) is not among those")]
    public void What_the_policy_rules_out_is_refused_with_the_part_and_the_reason(string policy, string? licence, string reason)
    {
        var conflicts = Policy(policy).Conflicts([new("teacher", "fine", "mit"), new("source", "gsm8k", licence)]);

        conflicts.ShouldNotBeEmpty();
        conflicts.ShouldAllBe(conflict => conflict.ToString().StartsWith("source 'gsm8k': ", StringComparison.Ordinal));
        string.Join('\n', conflicts).ShouldContain(reason);
    }

    [Theory]
    [InlineData("||", "cc-by-nc-nd-4.0")]
    [InlineData("||", null)]
    [InlineData("mit||", "apache-2.0")]
    [InlineData("mit||", "my-own")]
    [InlineData("mit||", "openai-terms")]
    [InlineData("cc-by-sa-4.0||", "cc-by-sa-4.0")]
    [InlineData("cc-by-sa-4.0||", "cc-by-sa-3.0")]
    [InlineData("cc-by-nc-4.0||", "cc-by-nc-3.0")]
    [InlineData("gpl-3.0||", "cc-by-sa-4.0")]
    [InlineData("|mit,unknown|", null)]
    [InlineData("|Apache 2.0,mit|", "apache-2.0")]
    [InlineData("||no-derivatives,non-commercial,unknown", "cc-by-4.0")]
    public void What_it_does_not_rule_out_goes_through(string policy, string? licence) =>
        Policy(policy).Conflicts([new("source", "gsm8k", licence), new("source", "other", "mit")]).ShouldBeEmpty();

    [Theory]
    [InlineData("mit,mit", "mit")]
    [InlineData("mit,apache-2.0", "other")]
    [InlineData("mit,", "unknown")]
    [InlineData("Apache 2.0,apache-2.0", "apache-2.0")]
    public void Without_a_policy_the_licence_follows_from_the_parts(string licences, string whole) =>
        new PublishPolicy().LicenceOf(
            [.. licences.Split(',').Select((id, i) => new LicensedPart("source", $"{i}", id.Length > 0 ? id : null))]).ShouldBe(whole);

    [Fact]
    public void The_table_names_each_licence_once_with_the_address_of_its_text()
    {
        LicenceTable.All.Select(licence => licence.Id).ShouldBeUnique();
        foreach (var licence in LicenceTable.All)
        {
            LicenceTable.Normal(licence.Id).ShouldBe(licence.Id);
            licence.Url.ShouldStartWith("https://");
        }

        LicenceTable.HubWord("odbl").ShouldBe("odbl");
        LicenceTable.HubWord("OpenAI terms").ShouldBe("other");
        LicenceTable.HubWord("gemma").ShouldBe("gemma");
        LicenceTable.HubWord("my-own").ShouldBe("other");
    }

    private static PublishPolicy Policy(string text)
    {
        string[] parts = text.Split('|');
        return new PublishPolicy
        {
            Licence = parts[0].Length > 0 ? parts[0] : null,
            Allow = parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries),
            Forbid = parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries),
        };
    }
}

using Distill.Data.Publishing.Licences;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>publish</c>: under which licence results go out, and what may not be in them. Changes no result, only whether it goes
/// out.</summary>
internal sealed record PublishSection : Section
{
    [Option("licence of what is published, e.g. `mit`; a part whose licence does not go with it refuses to be published",
        Default = "what follows from sources, teacher and base", DecidesResult = false)]
    public string Licence { get; init; } = "";

    [Option("the only licences that sources, teacher and base may have", Default = "any", Listed = true, DecidesResult = false)]
    public string Allow { get; init; } = "";

    [Option("what none of them may have: licences, or `attribution`, `share-alike`, `non-commercial`, `no-derivatives`, `naming`, "
        + "`use-restrictions`, `no-training`, `unknown`", Default = "nothing", Listed = true, DecidesResult = false)]
    public string Forbid { get; init; } = "";

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        string[] unknown = [.. ToPolicy().Forbid.Where(word => !PublishPolicy.Words.Contains(word) && LicenceTable.Find(word) is null)];
        yield return Rule.Require(unknown.Length == 0, nameof(Forbid), $"'{string.Join("', '", unknown)}' would never be found",
            $"write a licence that is known, or one of {string.Join(", ", PublishPolicy.Words)}");
    }

    internal PublishPolicy ToPolicy() =>
        new() { Licence = Licence.Length > 0 ? Licence : null, Allow = Words(Allow), Forbid = Words(Forbid) };

    private static string[] Words(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

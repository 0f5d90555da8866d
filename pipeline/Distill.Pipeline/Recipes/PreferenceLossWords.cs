using Distill.Student.Preference;

namespace Distill.Pipeline.Recipes;

/// <summary>The preference losses in a recipe: their names and the constants each of them has.</summary>
internal static class PreferenceLossWords
{
    private const string Default = "sigmoid";

    public static PreferenceLossKind Read(SectionReader reader)
    {
        string name = reader.IsGiven("loss") ? reader.Word("loss", [.. PreferenceLosses.All.Select(kind => kind.Name)]) : Default;
        return PreferenceLosses.Get(name.Length == 0 ? Default : name); // an unknown one is noted already
    }

    /// <returns>Null where the loss has no such constant; one that is given all the same is noted.</returns>
    public static double? Constant(SectionReader reader, PreferenceLossKind kind, string key, Func<SectionReader, string, double> read)
    {
        if (kind.Parameters.Contains(key)) return read(reader, key);
        var having = PreferenceLosses.All.Where(other => other.Parameters.Contains(key)).Select(other => other.Name);
        reader.Require(!reader.IsGiven(key), key, $"the loss {kind.Name} has no such constant", $"leave it out, or choose {string.Join(" or ", having)}");
        return null;
    }
}

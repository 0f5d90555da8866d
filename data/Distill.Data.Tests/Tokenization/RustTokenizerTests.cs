using System.Text.Json;
using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>The tokenizers at hand against the library that defines them (Hugging Face tokenizers, in Rust), on random strings.</summary>
public sealed class RustTokenizerTests
{
    private const int Strings = 150;

    public static TheoryData<string> Tokenizers => FixtureFolder.Rows(
        FixtureFolder.Cases("tokenizers").Select(folder => "tokenizers/" + Path.GetFileName(folder))
            .Concat(FixtureFolder.Cases("tokenizers/small").Select(folder => "tokenizers/small/" + Path.GetFileName(folder)))
            .Where(name => name != "tokenizers/small" && !name.Contains("optional"))
            .Concat(SharedModel.Names.Select(name => "models/" + name))
            .Concat(["student/models/tiny-base", "teacher/models/tiny-reasoner"]));

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Random_strings_get_the_ids_and_texts_of_the_reference(string name)
    {
        string folder = FolderOf(name);
        var (ours, reference) = (Tokenizer.Load(folder), Reference(folder));
        var renamed = Renamed(folder, ours);
        var strings = new RandomText(seed: 20_250_307, ours);
        var wrong = new List<string>();
        for (int i = 0; i < Strings && wrong.Count < 5; i++)
        {
            string given = strings.Next();
            int[] expected = [.. reference.Encode(given).Select(id => (int)id)];
            int[] actual = ours.EncodeWhole(given, allowSpecial: true);
            if (!actual.SequenceEqual(expected))
                wrong.Add($"<{Shown(given)}>: expected {string.Join(' ', expected)} but was {string.Join(' ', actual)}");
            if (expected.Any(renamed.Contains)) continue;
            string decoded = reference.Decode([.. expected.Select(id => (uint)id)]);
            string text = ours.Decode(expected, skipSpecial: true);
            if (text != decoded) wrong.Add($"<{Shown(given)}>: expected text <{Shown(decoded)}> but was <{Shown(text)}>");
        }
        wrong.ShouldBeEmpty();
    }

    /// <summary>
    /// Added tokens that the normaliser spells otherwise than the file. The package holds release 0.22 of the library, which decodes them
    /// as the file does; 0.23, and so Distill, as they are looked for.
    /// </summary>
    private static HashSet<int> Renamed(string folder, Tokenizer ours)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        return [.. file.RootElement.GetProperty("added_tokens").EnumerateArray()
            .Select(token => (Id: token.GetProperty("id").GetInt32(), Content: token.GetProperty("content").GetString()))
            .Where(token => ours.PieceOf(token.Id) != token.Content).Select(token => token.Id)];
    }

    private static string FolderOf(string name)
    {
        string[] parts = name.Split('/');
        if (parts[0] == "models") return SharedModel.Require(parts[1]);
        return parts[0] is "student" or "teacher" ? Path.Combine([RepositoryFolder.Root, .. parts]) : FixtureFolder.Require(parts);
    }

    private static global::Tokenizers.DotNet.Tokenizer Reference(string folder)
    {
        try
        {
            return new global::Tokenizers.DotNet.Tokenizer(vocabPath: Path.Combine(folder, "tokenizer.json"));
        }
        catch (Exception e) when (e is DllNotFoundException or global::Tokenizers.DotNet.TokenizerException)
        {
            Assert.Skip($"The reference does not read it here: {e.Message}");
            throw;
        }
    }

    private static string Shown(string text) => JsonSerializer.Serialize(text);
}

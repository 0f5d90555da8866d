using System.Text;

namespace Distill.Architecture;

/// <summary>A small file of a model folder, by its name.</summary>
internal sealed record CompanionFile(string Name, byte[] Content);

/// <summary>
/// What lies beside the weights, the configuration and the tokenizer of a model and goes with it wherever it goes: how it is sampled from,
/// its special tokens by role, the texts of its licence. Immutable.
/// </summary>
internal sealed class CompanionFiles
{
    private const string SpecialTokens = "special_tokens_map.json";
    private const long MaxBytes = 1 << 20;
    private const int Most = 8;
    private static readonly string[] s_terms = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "USE_POLICY"];

    // Files whose text is the licence; what else comes with it (notices, policies) is carried and decides nothing.
    private static readonly string[] s_deciding = ["LICENSE", "LICENCE", "COPYING"];

    // How texts begin. One that begins otherwise ("Modified MIT License") is another licence, or one that is not known here.
    private static readonly (string Id, string Title)[] s_titles =
    [
        ("apache-2.0", "Apache License Version 2.0"),
        ("mit", "MIT License"),
        ("bsd-3-clause", "BSD 3-Clause License"),
        ("bsd-2-clause", "BSD 2-Clause License"),
        ("gpl-3.0", "GNU GENERAL PUBLIC LICENSE Version 3"),
        ("llama3.3", "LLAMA 3.3 COMMUNITY LICENSE"),
        ("llama3.2", "LLAMA 3.2 COMMUNITY LICENSE"),
        ("llama3.1", "LLAMA 3.1 COMMUNITY LICENSE"),
        ("llama3", "META LLAMA 3 COMMUNITY LICENSE"),
        ("llama2", "LLAMA 2 COMMUNITY LICENSE"),
    ];

    private readonly IReadOnlyList<CompanionFile> files;

    private CompanionFiles(GenerationDefaults generation, IReadOnlyList<CompanionFile> files) =>
        (Generation, this.files) = (generation, files);

    public static CompanionFiles None { get; } = new(GenerationDefaults.None, []);

    public GenerationDefaults Generation { get; }

    /// <summary>Names of the files that go along; generation_config.json, which is written anew, is not among them.</summary>
    internal IEnumerable<string> Names => files.Select(file => file.Name);

    /// <summary>
    /// Identifier of the licence that the texts beside the model are, by their titles; null where there is none, one that is not known, or
    /// several that differ.
    /// </summary>
    public string? Licence
    {
        get
        {
            var found = files.Where(file => Begins(file.Name, s_deciding))
                .Select(file => LicenceOf(Encoding.UTF8.GetString(file.Content))).Distinct().ToList();
            return found is [var only] ? only : null;
        }
    }

    /// <summary>Whether there is any text of a licence, known or not.</summary>
    internal bool HasLicence => files.Any(file => Begins(file.Name, s_deciding));

    /// <exception cref="InvalidDataException">A file is too large, or there are too many licences; it is named.</exception>
    public static CompanionFiles Read(string folder)
    {
        string[] names =
        [
            .. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!)
                .Where(IsCarried).Order(StringComparer.Ordinal),
        ];
        if (names.Length > Most)
            throw new InvalidDataException($"'{folder}' has {names.Length} licences and notices; at most {Most} are carried.");
        return new(
            GenerationDefaults.Read(folder),
            [.. names.Select(name => new CompanionFile(name, FolderFile.Read(FolderFile.Find(folder, name)!, MaxBytes)))]);
    }

    /// <summary>These, but for the special tokens where the tokenizer is another's.</summary>
    public CompanionFiles WithTokenizerOf(CompanionFiles other) => new(
        Generation, [.. files.Where(file => file.Name != SpecialTokens), .. other.files.Where(file => file.Name == SpecialTokens)]);

    /// <summary>These, and the licences and notices of something that went into the model, with its role in their names.</summary>
    /// <exception cref="InvalidDataException">Together they are too many.</exception>
    public CompanionFiles WithTermsOf(CompanionFiles other, string role)
    {
        var added = other.files.Where(file => AreTerms(file.Name)).Select(file => file with
        {
            Name = $"{Path.GetFileNameWithoutExtension(file.Name)}-{role}{Path.GetExtension(file.Name)}",
        });
        var all = files.Concat(added).DistinctBy(file => file.Name).ToList();
        return all.Count <= Most ? new(Generation, all)
            : throw new InvalidDataException($"There are {all.Count} licences and notices; at most {Most} are carried.");
    }

    /// <summary>Whether a file of this name goes along.</summary>
    public static bool IsCarried(string name) => name == SpecialTokens || AreTerms(name);

    /// <summary>Whether a file of this name is a licence or a notice.</summary>
    public static bool AreTerms(string name) =>
        Begins(name, s_terms) && Path.GetExtension(name).ToUpperInvariant() is "" or ".TXT" or ".MD" or ".RST";

    /// <summary>Writes the licences and notices alone.</summary>
    internal void WriteTerms(string folder)
    {
        foreach (var file in files.Where(file => AreTerms(file.Name))) DurableFile.Write(Path.Combine(folder, file.Name), file.Content);
    }

    /// <summary>Writes them beside a model, generation_config.json with the ids of an architecture.</summary>
    internal void Write(string folder, DecoderArchitecture architecture)
    {
        foreach (var file in files) DurableFile.Write(Path.Combine(folder, file.Name), file.Content);
        DurableFile.Write(
            Path.Combine(folder, DecoderConfigJson.GenerationFileName), DecoderConfigWriter.WriteGeneration(architecture, Generation));
    }

    private static bool Begins(string name, string[] words) =>
        Array.Exists(words, word => name.StartsWith(word, StringComparison.OrdinalIgnoreCase));

    private static string? LicenceOf(string text)
    {
        string[] lines = [.. text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim('\uFEFF', ' ', '\t', '#', '*', '='))
            .Where(line => line.Length > 0 && !line.StartsWith("Copyright", StringComparison.OrdinalIgnoreCase)).Take(3)];
        string beginning = string.Join(' ', string.Join(' ', lines).Replace(',', ' ').Split(' ', StringSplitOptions.RemoveEmptyEntries));
        if (beginning.StartsWith("The ", StringComparison.OrdinalIgnoreCase)) beginning = beginning["The ".Length..];
        return s_titles.FirstOrDefault(known => beginning.StartsWith(known.Title, StringComparison.OrdinalIgnoreCase)).Id;
    }
}

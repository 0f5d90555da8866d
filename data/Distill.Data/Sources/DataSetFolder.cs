using Distill.Data.Sources.Files;
using Distill.Storage;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Distill.Data.Sources;

/// <summary>
/// A folder in the layout of Hugging Face data sets: its card's <c>configs</c> say which files are which split, else their names and
/// folders do (https://huggingface.co/docs/hub/datasets-file-names-and-splits).
/// </summary>
internal static class DataSetFolder
{
    public const string Train = "train";

    private const string Card = "README.md", Fence = "---";

    private const int LongestCard = 1 << 20;

    private static readonly (string Split, string[] Words)[] SplitWords =
    [
        (Train, [Train, "training"]),
        ("validation", ["validation", "valid", "val", "dev"]),
        ("test", ["test", "testing", "eval", "evaluation"]),
    ];

    /// <summary>The files of a split, by name.</summary>
    /// <param name="config">Null: the only one, or that which is the default.</param>
    /// <param name="split">E.g. <c>train</c>.</param>
    /// <exception cref="InvalidDataException">There are none; the message says which splits and configurations there are.</exception>
    public static IReadOnlyList<SourceFile> Files(string folder, string? config, string split)
    {
        if (!Directory.Exists(folder)) throw new InvalidDataException($"There is no folder {Printable.Quote(folder)}.");
        var splits = Declared(folder, config) ?? ByName(folder, config);
        if (splits.TryGetValue(split, out var files) && files.Count > 0) return files;
        string known = splits.Count == 0
            ? $"no file of {SourceRows.Forms}{(config is null ? "" : $" for the configuration {Printable.Quote(config)}")}"
            : $"only {string.Join(", ", splits.Keys.Select(Printable.Of))}";
        throw new InvalidDataException($"{Printable.Quote(folder)} has no split {Printable.Quote(split)}: there is {known}.");
    }

    /// <summary>What the card says are the files of a split; null where it says nothing.</summary>
    /// <exception cref="InvalidDataException">The card has no such configuration.</exception>
    public static IReadOnlyList<string>? DeclaredPatterns(string folder, string? config, string split) =>
        Chosen(folder, config)?.Files.Where(entry => entry.Split == split).Select(entry => Inside(entry.Pattern)).ToList();

    /// <summary>Words by which names of files say that they belong to a split.</summary>
    public static IReadOnlyList<string> WordsOf(string split) =>
        SplitWords.FirstOrDefault(known => known.Split == split).Words ?? [split];

    /// <summary>Whether a file of this name tells of a data set and holds none of its rows.</summary>
    public static bool Describes(string name) =>
        name is "dataset_infos.json" or "dataset_dict.json" or "state.json" or "dataset_info.json" or "croissant.json";

    /// <summary>What the card says of the data's licence: its name where the Hub has no word for it. Null where it says nothing.</summary>
    public static string? LicenceOf(string folder)
    {
        var header = Header(Path.Combine(folder, Card));
        var stated = Child(header, "license");
        string? word = Word(stated is YamlSequenceNode { Children: [var only] } ? only : stated);
        return word == "other" && Word(Child(header, "license_name")) is { Length: > 0 } name ? name : word;
    }

    private static Dictionary<string, List<SourceFile>>? Declared(string folder, string? config) => Chosen(folder, config)?.Files
        .GroupBy(entry => entry.Split).ToDictionary(
            group => group.Key,
            group => group.SelectMany(entry => SourceFile.Matching(folder, Inside(entry.Pattern))).Where(IsTable)
                .DistinctBy(file => file.Path).ToList());

    private static Config? Chosen(string folder, string? config)
    {
        var configs = Configs(Path.Combine(folder, Card)).Where(entry => entry.Files.Count > 0).ToList();
        if (configs.Count == 0) return null;
        var chosen = config is not null ? configs.Find(entry => entry.Name == config)
            : configs.Count == 1 ? configs[0] : configs.Find(entry => entry.IsDefault) ?? configs.Find(entry => entry.Name == "default");
        if (chosen is null)
        {
            throw new InvalidDataException(
                (config is null ? $"{Printable.Quote(folder)} has several configurations; name one of "
                    : $"{Printable.Quote(folder)} has no configuration {Printable.Quote(config)}; it has ")
                + $"{string.Join(", ", configs.Take(20).Select(entry => Printable.Of(entry.Name)))}.");
        }

        return chosen;
    }

    // A pattern of a card is relative to its folder and leads nowhere else.
    private static string Inside(string pattern) =>
        pattern.Split('/', '\\').Contains("..") || Path.IsPathRooted(pattern)
            ? throw new InvalidDataException($"The card names files outside its folder: {Printable.Quote(pattern)}.")
            : pattern.StartsWith("./", StringComparison.Ordinal) ? pattern[2..] : pattern;

    private static Dictionary<string, List<SourceFile>> ByName(string folder, string? config)
    {
        string root = config is not null && Directory.Exists(Path.Combine(folder, config)) && IsName(config)
            ? Path.Combine(folder, config) : folder;
        var files = SourceFile.Matching(root, "**").Where(IsTable).ToList();
        var splits = new Dictionary<string, List<SourceFile>>();
        foreach (var file in files)
        {
            if (SplitOf(file.Name) is not { } split) continue;
            if (!splits.TryGetValue(split, out var list)) splits[split] = list = [];
            list.Add(file);
        }

        if (splits.Count == 0 && files.Count > 0) splits[Train] = files;
        return splits;
    }

    private static bool IsName(string config) => config.IndexOfAny(['/', '\\']) < 0 && config is not ("." or "..");

    private static bool IsTable(SourceFile file) =>
        SourceRows.IsTable(file.Name) && !Describes(Path.GetFileName(file.Name));

    // The last folder or name that has a split's word as a whole word.
    private static string? SplitOf(string name)
    {
        foreach (string part in name.ToLowerInvariant().Split('/').Reverse())
        {
            string[] words = part.Split('-', '_', '.', ' ');
            foreach (var (split, known) in SplitWords)
            {
                if (words.Any(known.Contains)) return split;
            }
        }

        return null;
    }

    private sealed record Config(string Name, bool IsDefault, IReadOnlyList<(string Split, string Pattern)> Files);

    private static IReadOnlyList<Config> Configs(string card) =>
        Child(Header(card), "configs") is YamlSequenceNode list ? [.. list.OfType<YamlMappingNode>().Select(ConfigOf)] : [];

    // Between the fences at the beginning of a card.
    private static YamlMappingNode? Header(string card)
    {
        if (!File.Exists(card) || new FileInfo(card).Length > LongestCard) return null;
        string[] lines = File.ReadAllLines(card);
        int end = lines is [Fence, ..] ? Array.IndexOf(lines, Fence, 1) : -1;
        if (end < 0) return null;
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(string.Join('\n', lines[1..end])));
            return yaml.Documents is [{ RootNode: YamlMappingNode root }, ..] ? root : null;
        }
        catch (YamlException fault)
        {
            throw new InvalidDataException(
                $"{Printable.Quote(card)}: the part between {Fence} and {Fence} is not valid YAML (line {fault.Start.Line + 1}).", fault);
        }
    }

    private static Config ConfigOf(YamlMappingNode node) => new(
        Word(Child(node, "config_name")) ?? "default", Word(Child(node, "default")) == "true", [.. DataFiles(Child(node, "data_files"))]);

    // A pattern, a list of patterns, or a list of { split, path }, whose path may be a list.
    private static IEnumerable<(string Split, string Pattern)> DataFiles(YamlNode? node) => node switch
    {
        YamlScalarNode { Value: { } pattern } => [(Train, pattern)],
        YamlSequenceNode list => list.SelectMany(DataFiles),
        YamlMappingNode entry => Patterns(Child(entry, "path")).Select(pattern => (Word(Child(entry, "split")) ?? Train, pattern)),
        _ => [],
    };

    private static IEnumerable<string> Patterns(YamlNode? node) => node switch
    {
        YamlScalarNode { Value: { } pattern } => [pattern],
        YamlSequenceNode list => list.OfType<YamlScalarNode>().Select(item => item.Value).OfType<string>(),
        _ => [],
    };

    private static YamlNode? Child(YamlMappingNode? node, string name) =>
        node?.Children.TryGetValue(new YamlScalarNode(name), out var child) == true ? child : null;

    private static string? Word(YamlNode? node) => (node as YamlScalarNode)?.Value;
}

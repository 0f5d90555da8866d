using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Formats;
using Distill.Hub;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary>One entry of <c>problems.sources</c> and its kin: a generated family, files, a data set, or existing traces.</summary>
internal sealed record SourceSection : Section
{
    private const string OnlyOne = "write one of family, file, folder, hub and traces; further entries take the others";

    private static IEnumerable<string> Families => ProblemFamilies.All.Select(family => family.Name);

    private static IEnumerable<string> Formats => ProblemFormats.Names;

    [Option("a generated problem family", Words = nameof(Families))]
    public string? Family { get; init; }

    [Option("file, or a pattern with `*`: JSON lines, JSON, CSV, TSV (also `.gz`, `.zst`) or Parquet", Path = PathUse.Files,
        Remedy = "give the path of a file, relative to the recipe, or a pattern such as data/*.jsonl")]
    public string? File { get; init; }

    [Option("folder of a data set in Hugging Face's layout", Path = PathUse.Folder, Remedy = "give the folder of a data set")]
    public string? Folder { get; init; }

    [Option("data set of the Hub, `owner/name@revision`; it is kept in the cache that Python's huggingface_hub uses")]
    public string? Hub { get; init; }

    [Option("existing traces (Parquet file or pattern), whose problems are asked again", Path = PathUse.Files,
        Remedy = "give the path of a trace file, or a pattern such as runs/x/2-traces/*.parquet")]
    public string? Traces { get; init; }

    [Option("what its problems carry as their source, and reports call it",
        Default = "the data set's, or the file's name; of `train.jsonl` and the like the folder's")]
    public string Name { get; init; } = "";

    [Option("configuration of a folder or hub data set", Default = "its only or default one")]
    public string? Config { get; init; }

    [Option("of hub, as the test set: what the data set's `eval.yaml` calls the task; the model's result is then listed on the Hub, if "
        + "`split` is `test`", Default = "none: the card alone has it")]
    public string? EvalTask { get; init; }

    [Option("of folder and hub: the split that is read (default `train`). What is called `validation` or `test` goes there whole; "
        + "the rest is "
        + "held out by content, where nothing else is there for it. Of a file: where its rows go whole", Default = "by content")]
    public string? Split { get; init; }

    [Option("how its rows are written", Words = nameof(Formats))]
    public string Format { get; init; } = ProblemFormats.Auto;

    [Option("column of the question, `a.b` for a nested one, or a template: `\"{title}\\n{body}\"`", Default = "the format's")]
    public string? Question { get; init; }

    [Option("column of the reference answer, or a template", Default = "the format's")]
    public string? Answer { get; init; }

    [Option("column of a worked solution", Default = "the format's")]
    public string? Solution { get; init; }

    [Option("column with the list of options, or several columns: `a, b, c, d`", Default = "the format's")]
    public string? Choices { get; init; }

    [Option("column of a system message that goes before `prompt.system`", Default = "the format's")]
    public string? System { get; init; }

    [Option("column by which reports group problems", Default = "the source's name")]
    public string? Domain { get; init; }

    [Option("column of the difficulty; of a family the level itself", Default = "the format's; 1", TakesNumbers = true)]
    public string? Level { get; init; }

    [Option("column that names each row", Default = "by the content of the question")]
    public string? Id { get; init; }

    [Option("who judges its answers", Words = nameof(Verifiers), Default = "that of `problems.verifier`")]
    public string? Verifier { get; init; }

    [Option("share of the problems, relative to the other entries; where none has a weight, files give all that they have and families "
        + "fill what is left", Minimum = 0, Above = true, Maximum = 1000, Default = "none")]
    public double? Weight { get; init; }

    [Option("licence of the data, e.g. `mit`, for cards", Default = "what the card of a folder or hub data set says")]
    public string? Licence { get; init; }

    /// <summary>Names of verifiers that a recipe may give.</summary>
    internal static IEnumerable<string> Verifiers =>
        Distill.Verification.Verifiers.All.Select(verifier => verifier.Name).Append("judge").Concat(Families).Distinct();

    private bool IsTable => File is not null || Folder is not null || Hub is not null;

    public override object? DefaultOf(string property, Recipe recipe) => property != nameof(Name) ? null
        : Family ?? (Hub is not null ? SourceName.OfRepository(Hub.Split('@')[0])
        : Folder is not null ? SourceName.OfRepository(Folder)
        : (File ?? Traces) is { } file ? SourceName.OfFile(file) : null);

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        string?[] kinds = [Family, File, Folder, Hub, Traces];
        int given = kinds.Count(kind => kind is not null);
        string at = Family is not null || given == 0 ? nameof(Family) : nameof(Name);
        yield return Rule.Require(given == 1, at, given == 0 ? "an entry that names no problems" : "an entry that names several", OnlyOne,
            nameof(File), nameof(Folder), nameof(Hub), nameof(Traces));
        foreach (var rule in FamilyRules().Concat(TableRules())) yield return rule;
        yield return Rule.Require(Name.Length is > 0 and <= 80 && Name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.'),
            nameof(Name), "a source's name is 1 to 80 letters, digits, '-', '_' and '.'", "give it a name of its own");
        yield return Rule.Require(Family is not null || ProblemFamilies.TryGet(Name) is null, nameof(Name),
            "the name of a generated family", "give the source another name");
    }

    private IEnumerable<Rule> FamilyRules()
    {
        int highest = Family is { } name ? ProblemFamilies.TryGet(name)?.MaxLevel ?? 1 : 1;
        yield return Rule.Require(Family is null || FamilyLevel() is { } level && level >= 1 && level <= highest, nameof(Level),
            "no level of the family", $"allowed: 1..{highest}");
        yield return Rule.Require(Split is null || (Folder ?? Hub) is not null || SplitRule.TryParse(Split, out _), nameof(Split),
            "no split", "write train, validation or test");
        yield return Rule.Unused(Traces is not null && Split is not null, nameof(Split), "traces say themselves what split a problem is of",
            "leave it out");
        yield return Rule.Unused(Folder is null && Hub is null, nameof(Config), "only a folder or hub data set has configurations",
            "leave it out");
        yield return Rule.Unused(Hub is null, nameof(EvalTask), "only data sets of the Hub have tasks", "leave it out");
        yield return Rule.Require(EvalTask is null || (EvalTask.Length is > 0 and <= 80
            && EvalTask.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')), nameof(EvalTask),
            "a task's name is 1 to 80 letters, digits, '-', '_' and '.'", "write it as the data set's eval.yaml does");
        yield return Rule.Require(Hub is null || HubReference.TryParse(Hub, HubKind.DataSet, out _, out _), nameof(Hub),
            "not a data set of the Hub", "write owner/name, or owner/name@revision");
    }

    private IEnumerable<Rule> TableRules()
    {
        foreach (string property in (string[])[nameof(Question), nameof(Answer), nameof(Solution), nameof(Choices), nameof(System),
            nameof(Domain), nameof(Id)])
        {
            yield return Rule.Unused(!IsTable, property, "only file, folder and hub have columns", "leave it out");
        }

        yield return Rule.Unused(!IsTable, nameof(Format), "only file, folder and hub have a format", "leave it out");
        yield return Rule.Unused(!IsTable && Family is null, nameof(Level), "traces have no columns", "leave it out");
        yield return Rule.Unused(Family is not null, nameof(Verifier), "a family has its own verifier", "leave it out");
        foreach (var (property, text) in new (string, string?)[]
        {
            (nameof(Question), Question), (nameof(Answer), Answer), (nameof(Solution), Solution), (nameof(System), System),
            (nameof(Domain), Domain), (nameof(Level), Level), (nameof(Id), Id),
        })
        {
            string? fault = FaultOf(text);
            yield return Rule.Require(fault is null, property, fault ?? "", "write a column, or text with {column} in it");
        }
    }

    /// <summary>Whether a property says nothing.</summary>
    internal bool IsDefault(string property) =>
        SectionDeclaration.Of(this)[property] is var option && Equals(option.Get(this), option.Default);

    /// <summary>Where the entry's problems go whole; null: by content.</summary>
    internal Split? Goes() => Split switch
    {
        null => null,
        _ when (Folder ?? Hub) is null => SplitRule.TryParse(Split, out var split) ? split : null,
        "test" => Data.Problems.Split.Test,
        "validation" => Data.Problems.Split.Validation,
        _ => null,
    };

    internal int? FamilyLevel() => Level is null ? 1
        : int.TryParse(Level, NumberStyles.None, CultureInfo.InvariantCulture, out int level) ? level : null;

    /// <param name="otherwise">The verifier where the entry names none; null: as format and answer suggest.</param>
    internal RowReading ToReading(string? otherwise) => new()
    {
        Format = Format,
        Columns = new ColumnMapping
        {
            Question = Parsed(Question),
            Answer = Parsed(Answer),
            Solution = Parsed(Solution),
            Choices = Choices,
            System = Parsed(System),
            Domain = Parsed(Domain),
            Level = Parsed(Level),
            Id = Parsed(Id),
        },
        Verifier = Verifier ?? otherwise,
    };

    private static ColumnExpression? Parsed(string? text) => text is null ? null : ColumnExpression.Parse(text);

    private static string? FaultOf(string? text)
    {
        try
        {
            _ = Parsed(text);
            return null;
        }
        catch (FormatException fault)
        {
            return fault.Message;
        }
    }
}

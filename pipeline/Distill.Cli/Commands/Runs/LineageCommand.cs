using System.CommandLine;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Pipeline.Store;

namespace Distill.Cli.Commands.Runs;

/// <summary><c>distill lineage</c>.</summary>
internal sealed class LineageCommand : DistillCommand
{
    private readonly Argument<string> origin = new("ARTEFACT")
    {
        Description = "An artefact (as for 'distill artefacts show'), a run, or a model: a folder that was exported, wherever it was "
            + "copied to.",
    };

    private readonly Option<string> runs = RunArguments.RunsOption();

    public LineageCommand()
        : base("lineage", "Shows what a model or another artefact was made from, and that in turn, down to the problems and the models "
            + "that the recipe "
            + "brought along.")
    {
        Arguments.Add(origin);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill lineage quickstart", "distill lineage quickstart/sft", "distill lineage /tmp/copied-model --runs runs --json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string word = parsed.GetRequiredValue(origin);
        var catalogue = ArtifactCatalogue.Read(ArtifactReference.RunsFolderOf(word, parsed.GetRequiredValue(runs)), context.Clock);
        var lineage = Lineage.Of(
            catalogue, LineageRoots.Find(catalogue, word), new ExternalModels(catalogue.RunsFolder, catalogue.Store.Digests));
        if (context.IsJson) context.Results.Json(new { lineage.Roots, nodes = lineage.Nodes.Values, lineage.Notes });
        foreach (string note in lineage.Notes) context.Results.Line(note);
        context.Results.Table(["made from", "digest", "kind", "code", "what it is"], Rows(lineage), words: 5);
        return ExitCode.Done;
    }

    private static List<string[]> Rows(Lineage lineage)
    {
        var rows = new List<string[]>();
        var shown = new HashSet<string>();
        foreach (var root in lineage.Roots) Add(root, "", "");
        return rows;

        void Add(LineageNode node, string branch, string below)
        {
            bool isRepeated = node.Digest.Length > 0 && !shown.Add(node.Digest);
            rows.Add(Row(node, branch, isRepeated));
            if (isRepeated) return;
            string[] inputs = [.. node.Inputs.Values];
            for (int i = 0; i < inputs.Length; i++)
            {
                bool isLast = i == inputs.Length - 1;
                Add(lineage.Nodes[inputs[i]], below + (isLast ? "└─ " : "├─ "), below + (isLast ? "   " : "│  "));
            }
        }
    }

    private static string[] Row(LineageNode node, string branch, bool isRepeated) =>
    [
        branch + node.Name,
        node.Digest[..Math.Min(node.Digest.Length, CataloguedArtifact.ShortLength)],
        node.Kind ?? (node.State == LineageState.External ? "from outside" : Readable.None),
        node.StageVersion is { } version ? $"v{version}" : "",
        isRepeated && node.Inputs.Count > 0 ? "as above" : Described(node),
    ];

    private static string Described(LineageNode node) => node.State switch
    {
        LineageState.Finished => node.Summary,
        LineageState.Damaged => $"damaged; {node.Summary}",
        LineageState.Removed => "removed from the store, or never in it",
        _ => node.Folder ?? "no recipe at hand names its place",
    };
}

using Distill.Data.Sources;
using Distill.Data.Sources.Files;
using Distill.Hub;

namespace Distill.Pipeline.Problems;

/// <summary>A data set of the Hub as a folder on this machine: its card, and of its files those of one split.</summary>
/// <param name="Folder">In the cache; not to be changed.</param>
/// <param name="Repository">E.g. <c>openai/gsm8k</c>.</param>
internal sealed record HubDataSet(string Folder, string Repository, string Commit)
{
    private const string Card = "README.md";

    /// <exception cref="InvalidDataException">The reference is none.</exception>
    /// <exception cref="HubException">The Hub does not give it; says what to do.</exception>
    public static HubDataSet Pull(string reference, string? config, string split, CancellationToken cancellation) =>
        Pull(reference, config, split, HubOptions.FromEnvironment(), cancellation);

    /// <inheritdoc cref="Pull(string, string?, string, CancellationToken)"/>
    public static HubDataSet Pull(string reference, string? config, string split, HubOptions options, CancellationToken cancellation)
    {
        if (!HubReference.TryParse(reference, HubKind.DataSet, out var parsed, out string fault))
            throw new InvalidDataException(fault + ".");
        using var client = new HubClient(options);
        HubSnapshot Bring(HubReference of, params IReadOnlyList<string> patterns) =>
            client.PullAsync(of, new HubSelection { Include = patterns }, null, cancellation).GetAwaiter().GetResult();
        var card = Bring(parsed, Card);
        var commit = card.Reference;
        var snapshot = DataSetFolder.DeclaredPatterns(card.LocalPath, config, split) is { } declared
            ? Bring(commit, [Card, .. declared])
            : Bring(commit, [Card, .. DataSetFolder.WordsOf(split).Select(word => $"*{word}*")]);
        if (!snapshot.Files.Any(SourceRows.IsTable)) snapshot = Bring(commit);
        return new HubDataSet(snapshot.LocalPath, parsed.Repository, snapshot.Commit);
    }
}

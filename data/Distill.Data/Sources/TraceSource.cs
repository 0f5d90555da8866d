using Distill.Data.Problems;
using Distill.Data.Publishing;
using Distill.Data.Sources.Files;
using Distill.Storage;

namespace Distill.Data.Sources;

/// <summary>
/// The problems of existing traces, each once, as they were asked. An id tells a problem's traces, votes and twins apart, so another
/// question with the same id is a bad row.
/// </summary>
internal sealed class TraceSource(string name, IReadOnlyList<SourceFile> files, string? verifier) : IProblemSource
{
    public string Name => name;

    public IReadOnlyList<SourceFile> Files => files;

    public IEnumerable<SourceItem> Read()
    {
        var signatures = new Dictionary<string, string>(StringComparer.Ordinal);
        var bad = new Queue<BadRow>();
        foreach (var file in files)
        {
            long row = 0;
            foreach (var trace in TraceImport.Read(file.Path, null, bad.Enqueue))
            {
                foreach (var item in Taken(bad, file)) yield return item;
                if (Item(trace.Problem, new SourcePlace(file.Name, "row", ++row), signatures) is { } found) yield return found;
            }

            foreach (var item in Taken(bad, file)) yield return item;
        }
    }

    // The rows that were passed over on the way to the next trace, or to the end.
    private static IEnumerable<SourceItem> Taken(Queue<BadRow> bad, SourceFile file)
    {
        while (bad.TryDequeue(out var row))
            yield return new SourceItem(row.Place with { File = file.Name }, null, row.Reason.TrimEnd('.'));
    }

    private SourceItem? Item(Problem problem, SourcePlace place, Dictionary<string, string> signatures)
    {
        if (!signatures.TryAdd(problem.Id, problem.Signature))
        {
            return signatures[problem.Id] == problem.Signature ? null
                : new SourceItem(place, null, $"the id {Printable.Quote(problem.Id)} is that of another question too");
        }

        // Held out by content, as everywhere: traces of others do not say where their problems belong.
        return new SourceItem(place, problem with
        {
            Split = SplitRule.Of(problem.Signature), Verifier = verifier ?? problem.Verifier,
        });
    }
}

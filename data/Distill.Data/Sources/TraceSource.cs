using Distill.Data.Problems;
using Distill.Data.Publishing;
using Distill.Data.Sources.Files;

namespace Distill.Data.Sources;

/// <summary>The problems of existing traces, each once, as they were asked.</summary>
internal sealed class TraceSource(string name, IReadOnlyList<SourceFile> files, string? verifier) : IProblemSource
{
    public string Name => name;

    public IReadOnlyList<SourceFile> Files => files;

    public IEnumerable<SourceItem> Read()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            long row = 0;
            foreach (var trace in TraceImport.Read(file.Path))
            {
                row++;
                if (!seen.Add(trace.Problem.Id)) continue;
                // Held out by content, as everywhere: traces of others do not say where their problems belong.
                var problem = trace.Problem with
                {
                    Split = SplitRule.Of(trace.Problem.Signature), Verifier = verifier ?? trace.Problem.Verifier,
                };
                yield return new SourceItem(new SourcePlace(file.Name, "row", row), problem);
            }
        }
    }
}

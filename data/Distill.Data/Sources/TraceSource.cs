using Distill.Data.Sources.Files;
using Distill.Data.Traces;

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
            foreach (var trace in TraceFile.Read(file.Path))
            {
                row++;
                if (!seen.Add(trace.Problem.Id)) continue;
                var problem = verifier is null ? trace.Problem : trace.Problem with { Verifier = verifier };
                yield return new SourceItem(new SourcePlace(file.Name, "row", row), problem);
            }
        }
    }
}

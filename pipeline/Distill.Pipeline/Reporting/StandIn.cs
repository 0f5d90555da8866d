using Distill.Export.Parity;

namespace Distill.Pipeline.Reporting;

public sealed record RunReport(ParityReport? Parity);

public sealed record ReportTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    public static ReportTable Of(RunReport report) => throw new NotSupportedException();
}

using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Runs;

/// <summary>Where a run's results lie.</summary>
/// <param name="ReportPath">Null when the run ended before its report.</param>
/// <param name="ModelFolder">The ONNX folder that apps load; null when the run ended before it.</param>
/// <param name="Report">Null when the run ended before its report.</param>
public sealed record RunResult(string Name, string Folder, string? ReportPath, string? ModelFolder, RunReport? Report);

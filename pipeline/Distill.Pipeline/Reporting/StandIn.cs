namespace Distill.Pipeline.Reporting;
public sealed record RunReport();

using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Pipeline.Diagnosis;

namespace Distill.Cli.Commands;

/// <summary><c>distill doctor</c>.</summary>
internal sealed class DoctorCommand : DistillCommand
{
    private readonly Option<string> runs = RunArguments.RunsOption();

    public DoctorCommand()
        : base("doctor", "Says what this machine can do, what is missing and how to get it.") => Options.Add(runs);

    public override IReadOnlyList<string> Examples => ["distill doctor", "distill doctor --json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var findings = MachineDiagnosis.Run(parsed.GetRequiredValue(runs));
        bool works = findings.All(finding => finding.State != MachineState.Missing);
        if (context.IsJson) context.Results.Json(new { works, findings });
        context.Results.Table(["", "", "found"], findings.Select(finding => (string[])[finding.Name, Word(finding.State), finding.Found]), words: 3);
        foreach (var finding in findings.Where(finding => finding.Remedy is not null)) context.Results.Line($"{finding.Name}: {finding.Remedy}");
        context.Results.Line(works ? "Everything that is needed is here." : "Something that is needed is missing.");
        return works ? ExitCode.Done : ExitCode.Fault;
    }

    private static string Word(MachineState state) => state switch
    {
        MachineState.Ok => "ok",
        MachineState.Warning => "warning",
        MachineState.Missing => "missing",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Unknown state."),
    };
}

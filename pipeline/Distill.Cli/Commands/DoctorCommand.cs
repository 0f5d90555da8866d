using System.CommandLine;
using Distill.Cli.Commands.Runs;
using Distill.Cli.Models;
using Distill.Cli.Parsing;
using Distill.Pipeline.Diagnosis;

namespace Distill.Cli.Commands;

/// <summary><c>distill doctor</c>.</summary>
internal sealed class DoctorCommand : DistillCommand
{
    private readonly Option<string> runs = RunArguments.RunsOption();
    private readonly Option<string> model =
        new("--model") { HelpName = "MODEL", Description = "Also say whether a model's weights and caches fit into memory." };

    private readonly Option<string> device = CommandOptions.Word("--device",
        "cuda: look at everything that a card needs, and count what of it is not there as missing.", ["cpu", "cuda"], "cpu");

    private readonly Option<string?> store = new("--store")
    {
        HelpName = "FOLDER",
        Description = "Only try whether a folder of runs, or s3://BUCKET/PREFIX, is safe for a store that several processes and machines "
            + "use: all the commit protocol rests on, against a second process. Exit code 2 when it is not.",
    };

    private readonly Option<int> slots = CommandOptions.Number("--slots", "With --model: completions decoded together.", 1, 4096, 64);
    private readonly Option<int> maxLength =
        CommandOptions.Number("--max-length", "With --model: longest prompt and completion together.", 2, 1 << 24, 1024);

    public DoctorCommand()
        : base("doctor", "Says what this machine can do, what is missing and how to get it.")
    {
        foreach (Option option in (Option[])[runs, device, model, store, slots, maxLength]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill doctor",
        "distill doctor --device cuda",
        "distill doctor --store /mnt/shared/runs",
        "distill doctor --model teacher/models/tiny-reasoner --slots 64 --max-length 512",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (parsed.GetValue(store) is { } place) return StoreDiagnosis.Execute(place, context);
        bool needsCuda = parsed.GetRequiredValue(device) == "cuda";
        var findings = MachineDiagnosis.Run(parsed.GetRequiredValue(runs), needsCuda);
        if (parsed.GetValue(model) is { } named)
        {
            string folder = HubAccess.Locate(named, context);
            ModelFolders.RequireModel(folder);
            var fit = MachineDiagnosis.Run(folder, parsed.GetValue(slots), parsed.GetValue(maxLength), needsCuda);
            findings = [.. findings, .. fit];
        }

        bool works = findings.All(finding => finding.State != MachineState.Missing);
        if (context.IsJson && works) context.Results.Json(new { works, findings });
        if (context.IsJson && !works)
        {
            var missing = new Failure(ExitCode.Fault, "fault", "Something that is needed is missing.", "The findings say what to do.");
            context.Results.Json(new { works, findings, error = missing.ToJson(context) });
        }

        var rows = findings.Select(finding => (string[])[finding.Name, Word(finding.State), finding.Found]);
        context.Results.Table(["", "", "found"], rows, words: 3);
        foreach (var finding in findings.Where(finding => finding.Remedy is not null))
            context.Results.Line($"{finding.Name}: {finding.Remedy}");
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

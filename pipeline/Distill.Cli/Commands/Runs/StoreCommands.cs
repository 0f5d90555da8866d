using System.CommandLine;
using Distill.Cli.Models;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Pipeline.Store.Objects;
using Distill.Storage.Checks;
using Distill.Storage.Objects;

namespace Distill.Cli.Commands.Runs;

/// <summary>The second process of the check of a store; nobody types it.</summary>
internal sealed class StoreProbeCommand : DistillCommand
{
    private readonly Argument<string> folder = new("FOLDER") { Description = "Where to try." };

    public StoreProbeCommand()
        : base(StoreAdmission.ProbeCommand, "Does to a folder what a check of the store asks over standard input.")
    {
        Hidden = true;
        Arguments.Add(folder);
    }

    public override IReadOnlyList<string> Examples => ["distill store-probe runs/.store/.checks/try"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        OtherProcessOrders.Serve(parsed.GetRequiredValue(folder), new ProbedFileSystem(), context.Streams.In, context.Streams.Out);
        return ExitCode.Done;
    }
}

/// <summary><c>distill doctor --store</c>: whether a place is safe for a store, tried anew.</summary>
internal static class StoreDiagnosis
{
    public static int Execute(string place, CommandContext context)
    {
        if (SharedStoreAddress.IsOne(place)) return Shared(SharedStoreAddress.Parse(place).ToPlace(), context);
        OutputPlace.RequireFolder("--store", place);
        var report = StoreAdmission.Look(place);
        if (context.IsJson && report.Refusal is null)
            context.Results.Json(new { safe = true, store = place, fileSystem = report.FileSystem, report.Findings });
        context.Results.Table(
            ["", "", "found"], report.Findings.Select(finding => (string[])[finding.Name, Word(finding.State), finding.Found]), words: 3);
        foreach (var finding in report.Findings.Where(finding => finding.Remedy is not null))
            context.Results.Line($"{finding.Name}: {finding.Remedy}");
        if (report.Refusal is { } refusal) throw new RunRefusedException(refusal);
        context.Results.Line($"{report.FileSystem.Description} is safe for a store.");
        return ExitCode.Done;
    }

    private static int Shared(SharedPlace place, CommandContext context)
    {
        using var objects = place.Open();
        try
        {
            new SharedStore(objects, context.Clock).RequireConditionalWrites(context.Cancellation);
        }
        catch (UnsafeObjectStoreException refusal)
        {
            throw new RunRefusedException(refusal.Message);
        }

        if (context.IsJson) context.Results.Json(new { safe = true, store = place.Address });
        context.Results.Line($"{place.Address} is safe for a shared store: it gives a name once, and lists what was put.");
        return ExitCode.Done;
    }

    private static string Word(StoreFindingState state) => state switch
    {
        StoreFindingState.Ok => "ok",
        StoreFindingState.Note => "note",
        StoreFindingState.Unsafe => "unsafe",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Unknown state."),
    };
}

using System.CommandLine;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Pipeline.Store;
using Distill.Storage;

namespace Distill.Cli.Commands.Runs;

/// <summary><c>distill artefacts ls</c>.</summary>
internal sealed class ArtefactsListCommand : DistillCommand
{
    private readonly Option<string> runs = RunArguments.RunsOption();
    private readonly Option<string?> store = ArtefactOutput.StoreOption();

    public ArtefactsListCommand()
        : base("ls", "Lists what has been made: finished artefacts, unfinished work, damage; how large it is and which runs use it.")
    {
        Options.Add(runs);
        Options.Add(store);
    }

    public override IReadOnlyList<string> Examples => ["distill artefacts ls", "distill artefacts ls --runs /data/runs --json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (parsed.GetValue(store) is { } address)
        {
            using var shared = SharedArtefacts.Open(address, context);
            return shared.List();
        }

        var catalogue = ArtifactCatalogue.Read(parsed.GetRequiredValue(runs), context.Clock);
        var now = context.Clock.GetUtcNow();
        if (context.IsJson)
        {
            context.Results.Json(new { store = catalogue.Store.Root, artefacts = catalogue.Items.Select(ArtefactOutput.Json) });
            return ExitCode.Done;
        }

        if (catalogue.Items.Count == 0)
        {
            context.Results.Line($"There are no artefacts in '{catalogue.Store.Root}' yet: distill run RECIPE makes them.");
            return ExitCode.Done;
        }

        context.Results.Table(
            ["artefact", "digest", "key", "state", "used by", "version", "size", "age"],
            catalogue.Items.OrderBy(item => item.Name, StringComparer.Ordinal).ThenByDescending(item => item.Entry.Changed)
                .Select(item => ArtefactOutput.Row(item, now)), words: 5);
        long bytes = catalogue.Items.Sum(item => item.Entry.Bytes);
        context.Results.Line($"{catalogue.Items.Count:N0} in {catalogue.Store.Root}, {Readable.Size(bytes)}");
        return ExitCode.Done;
    }
}

/// <summary><c>distill artefacts show</c>.</summary>
internal sealed class ArtefactsShowCommand : DistillCommand
{
    private readonly Argument<string> artefact = ArtefactOutput.Argument();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public ArtefactsShowCommand()
        : base("show", "Shows an artefact: its files, what it was made from, which options decided it, and who uses it.")
    {
        Arguments.Add(artefact);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill artefacts show quickstart/sft", "distill artefacts show 3fa9c1", "distill artefacts show runs/quickstart/4-sft --json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (_, item) = ArtefactOutput.Find(parsed.GetRequiredValue(artefact), parsed.GetRequiredValue(runs), context);
        if (context.IsJson)
        {
            context.Results.Json(new { artefact = ArtefactOutput.Json(item), item.Entry.Manifest });
            return ExitCode.Done;
        }

        var results = context.Results;
        results.Line($"{item.Name}: {item.Summary}");
        results.Line($"kind     {item.Entry.Kind}, {ArtefactOutput.State(item)}, {Readable.Size(item.Entry.Bytes)}");
        results.Line($"digest   {item.Digest ?? Readable.None}");
        results.Line($"key      {item.Entry.Key?.Digest ?? Readable.None}, version {item.Entry.Version}");
        results.Line($"folder   {item.Entry.Folder}");
        results.Line($"used by  {ArtefactOutput.Uses(item, withLinks: true)}");
        foreach (var (name, digest) in item.Origin.Inputs) results.Line($"from     {name} {digest[..CataloguedArtifact.ShortLength]}");
        if (item.Origin.Key is { } key) results.Line($"key text {key}");
        if (item.Entry.Manifest is { } manifest)
            results.Table(["file", "sha256", "size"], manifest.Files.Select(file => (string[])
                [file.Path, file.Sha256, Readable.Size(file.Bytes)]), words: 2);
        return ExitCode.Done;
    }
}

/// <summary><c>distill artefacts verify</c>.</summary>
internal sealed class ArtefactsVerifyCommand : DistillCommand
{
    private readonly Argument<string?> artefact = new("ARTEFACT")
    {
        Description = ArtefactOutput.Meaning + " Without it, all are verified.", Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> runs = RunArguments.RunsOption();
    private readonly Option<string?> store = ArtefactOutput.StoreOption();

    public ArtefactsVerifyCommand()
        : base("verify", "Reads every byte of an artefact, or of all, and compares it with what was committed. Exit code 1 when something "
            + "is damaged.")
    {
        Arguments.Add(artefact);
        Options.Add(runs);
        Options.Add(store);
    }

    public override IReadOnlyList<string> Examples => ["distill artefacts verify", "distill artefacts verify quickstart/model"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (parsed.GetValue(store) is { } address)
        {
            using var shared = SharedArtefacts.Open(address, context);
            return shared.Verify(parsed.GetValue(artefact));
        }

        string folder = parsed.GetRequiredValue(runs);
        var (catalogue, one) = parsed.GetValue(artefact) is { } word ? ArtefactOutput.Find(word, folder, context)
            : (ArtifactCatalogue.Read(folder, context.Clock), null!);
        var verification = new StoreVerification(catalogue);
        IReadOnlyList<CataloguedArtifact> all = one is null ? catalogue.Items : [one];
        context.Progress.Begin("verify", $"{all.Count:N0} artefacts, {Readable.Size(all.Sum(item => item.Entry.Bytes))}");
        var verified = verification.Run(all, progress => context.Progress.Report(progress), context.Cancellation);
        context.Progress.End();
        VerifiedArtifact[] damaged = [.. verified.Where(item => item.Faults.Count > 0)];
        int asideCount = all.Count(StoreVerification.IsSetAside);
        int unfinished = all.Count(item => item.Entry.State == StoreEntryState.Unfinished);
        if (context.IsJson)
            context.Results.Json(new
            {
                verified = verified.Count, unfinished, setAside = asideCount,
                damaged = damaged.Select(item => new { artefact = ArtefactOutput.Json(item.Artifact), item.Faults }),
            });
        foreach (var item in damaged)
            foreach (string fault in item.Faults) context.Results.Line($"{item.Artifact.Name} {item.Artifact.Reference}: {fault}");
        context.Results.Line($"{verified.Count - damaged.Length:N0} of {verified.Count:N0} artefacts are what was committed"
            + (unfinished > 0 ? $"; {unfinished:N0} unfinished" : "")
            + (asideCount > 0 ? $"; {asideCount:N0} damaged ones were set aside before" : "") + ".");
        if (damaged.Length == 0) return ExitCode.Done;
        context.Results.Line("The next run that needs a damaged artefact sets it aside and makes it again: distill resume RUN.");
        return ExitCode.Fault;
    }
}

/// <summary><c>distill artefacts pin</c>.</summary>
internal sealed class ArtefactsPinCommand : DistillCommand
{
    private readonly Argument<string> artefact = ArtefactOutput.Argument();
    private readonly Option<bool> remove = new("--remove") { Description = "Take the pin away again." };
    private readonly Option<string> runs = RunArguments.RunsOption();
    private readonly Option<string?> store = ArtefactOutput.StoreOption();

    public ArtefactsPinCommand()
        : base("pin", "Pins an artefact: gc keeps it, and what it was made from, even when no run uses it.")
    {
        Arguments.Add(artefact);
        Options.Add(remove);
        Options.Add(runs);
        Options.Add(store);
    }

    public override IReadOnlyList<string> Examples => ["distill artefacts pin quickstart/rl", "distill artefacts pin 3fa9c1 --remove"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        bool pinned = !parsed.GetValue(remove);
        if (parsed.GetValue(store) is { } address)
        {
            using var shared = SharedArtefacts.Open(address, context);
            return shared.Pin(parsed.GetRequiredValue(artefact), pinned);
        }

        var (catalogue, item) = ArtefactOutput.Find(parsed.GetRequiredValue(artefact), parsed.GetRequiredValue(runs), context);
        if (item.Entry.Key is not { } key || (pinned && !item.IsFinished))
            throw new UsageException($"{item.Name} {item.Reference} is {ArtefactOutput.State(item)}: only finished artefacts are pinned.");
        using var used = catalogue.Store.TryUse()
            ?? throw new UsageException("Artefacts are being removed at this moment.", "Try again when 'distill artefacts gc' has ended.");
        if (pinned && !Directory.Exists(item.Entry.Folder)) throw new UsageException("The artefact was just removed.", "");
        catalogue.Store.Pin(key, item.Entry.Version, pinned);
        if (context.IsJson) context.Results.Json(ArtefactOutput.Json(item with { IsPinned = pinned }));
        context.Results.Line($"{item.Name} {item.Reference} is {(pinned ? "pinned" : "not pinned")}.");
        return ExitCode.Done;
    }
}

/// <summary><c>distill artefacts gc</c>.</summary>
internal sealed class ArtefactsCollectCommand : DistillCommand
{
    private const double UsualDays = 30, MostDays = 36_500;

    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Only show what would be removed, and why the rest is kept." };
    private readonly Option<double> days =
        CommandOptions.Number("--older-than", "Keep what was made or worked on in the last so many days.", 0, MostDays, UsualDays);

    private readonly Option<bool> yes = new("--yes") { Description = "Remove without asking; needed where nobody can be asked." };
    private readonly Option<string> runs = RunArguments.RunsOption();
    private readonly Option<string?> store = ArtefactOutput.StoreOption();

    public ArtefactsCollectCommand()
        : base("gc", "Removes artefacts, unfinished work and damaged files that no run uses, that nothing kept was made from, that are "
            + "not pinned, "
            + "that nobody is making and that are old enough. Shows them first.")
    {
        foreach (var option in (Option[])[dryRun, days, yes, runs, store]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill artefacts gc --dry-run", "distill artefacts gc --older-than 7", "distill artefacts gc --older-than 0 --yes"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        bool isDryRun = parsed.GetValue(dryRun);
        var limit = TimeSpan.FromDays(parsed.GetValue(days));
        if (parsed.GetValue(store) is { } address)
        {
            using var shared = SharedArtefacts.Open(address, context);
            return shared.Collect(limit, isDryRun, parsed.GetValue(yes));
        }

        var collection = new GarbageCollection(parsed.GetRequiredValue(runs), limit, context.Clock);
        if (!isDryRun) collection.RequireIdle();
        var plan = collection.Plan();
        CataloguedArtifact[] garbage = [.. plan.Where(item => !item.IsKept).Select(item => item.Artifact)];
        Show(plan, garbage, isDryRun, context);
        string what = $"{garbage.Length:N0} of {plan.Count:N0} ({Readable.Size(garbage.Sum(item => item.Entry.Bytes))})";
        // With nothing to remove it still sweeps up what was only needed while somebody worked.
        bool isAgreed = !isDryRun && (garbage.Length == 0 || parsed.GetValue(yes) || Confirmation.Ask(context, $"Remove {what}?"));
        var removed = isAgreed ? collection.Remove(garbage, context.Cancellation) : [];
        if (context.IsJson)
            context.Results.Json(new
            {
                dryRun = isDryRun, garbage = garbage.Select(ArtefactOutput.Json), removed = removed.Select(item => item.Entry.Folder),
                freedBytes = removed.Sum(item => item.Entry.Bytes),
                kept = plan.Where(item => item.IsKept)
                    .Select(item => new { artefact = ArtefactOutput.Json(item.Artifact), because = item.KeptBecause }),
            });
        context.Results.Line(removed.Count > 0 ? $"Removed {removed.Count:N0}, {Readable.Size(removed.Sum(item => item.Entry.Bytes))}."
            : garbage.Length == 0 ? "There is nothing to remove."
            : isDryRun ? $"Would remove {what}."
            : Confirmation.CanAsk(context) ? "Nothing was removed."
            : $"Nothing was removed: nobody can be asked here. --yes removes {what}.");
        return ExitCode.Done;
    }

    private static void Show(IReadOnlyList<Retention> plan, CataloguedArtifact[] garbage, bool isDryRun, CommandContext context)
    {
        var now = context.Clock.GetUtcNow();
        if (garbage.Length > 0)
            context.Results.Table(
                ["to be removed", "digest", "key", "state", "used by", "version", "size", "age"],
                garbage.Select(item => ArtefactOutput.Row(item, now)), words: 5);
        if (!isDryRun || garbage.Length == plan.Count) return;
        context.Results.Table(["kept", "key", "because"], plan.Where(item => item.IsKept)
            .Select(item => (string[])[item.Artifact.Name, ArtefactOutput.Key(item.Artifact), item.KeptBecause!]), words: 3);
    }
}

/// <summary>Artefacts in words and as JSON: what the commands about them have in common.</summary>
internal static class ArtefactOutput
{
    public const string Meaning = "An artefact: 6 or more digits of its digest or key (3fa9c1; 3fa9c1~2 for its second version), a run "
        + "and its stage "
        + "(quickstart/sft), or a path (runs/quickstart/4-sft).";

    public static Option<string?> StoreOption() => new("--store")
    {
        HelpName = "s3://BUCKET/PREFIX", Description = "Of a store that machines share, not of a folder of runs (docs/store.md).",
    };

    public static Argument<string> Argument() => new("ARTEFACT") { Description = Meaning };

    public static (ArtifactCatalogue Catalogue, CataloguedArtifact Item) Find(string word, string runs, CommandContext context)
    {
        var catalogue = ArtifactCatalogue.Read(ArtifactReference.RunsFolderOf(word, runs), context.Clock);
        return (catalogue, ArtifactReference.Find(catalogue, word));
    }

    public static string[] Row(CataloguedArtifact item, DateTimeOffset now) =>
    [
        item.Name, Short(item.Digest), Key(item), State(item), Uses(item, withLinks: false),
        item.Entry.Key is null ? "" : $"{item.Entry.Version}", Readable.Size(item.Entry.Bytes), Readable.Age(now - item.Entry.Changed),
    ];

    /// <summary>Of what was set aside, the name of its folder, which is all that is left of it.</summary>
    public static string Key(CataloguedArtifact item) =>
        item.Entry.Key is { } key ? Short(key.Digest) : Short(Path.GetFileName(item.Entry.Folder));

    public static string State(CataloguedArtifact item)
    {
        string state = StoreVerification.IsSetAside(item) ? "damaged, set aside" : item.Entry.State switch
        {
            StoreEntryState.Finished => "finished",
            StoreEntryState.Unfinished => "unfinished",
            _ => "damaged",
        };
        return state + (item.IsBeingMade ? ", being made" : "") + (item.IsPinned ? ", pinned" : "");
    }

    public static string Uses(CataloguedArtifact item, bool withLinks) => item.Uses.Count == 0 ? "nobody"
        : string.Join(", ", item.Uses.Select(use => withLinks ? $"{use.Run}/{use.Link}" : use.Run).Distinct());

    public static object Json(CataloguedArtifact item) => new
    {
        stage = item.Origin.Stage, item.Entry.Kind, item.Digest, key = item.Entry.Key?.Digest, item.Entry.Version, item.Reference,
        item.Entry.State, setAside = StoreVerification.IsSetAside(item), item.Entry.Bytes, item.Entry.Changed,
        usedBy = item.Uses, pinned = item.IsPinned,
        beingMade = item.IsBeingMade, item.Summary, inputs = item.Origin.Inputs, item.Entry.Folder,
    };

    private static string Short(string? digest) => digest?[..Math.Min(digest.Length, CataloguedArtifact.ShortLength)] ?? Readable.None;
}

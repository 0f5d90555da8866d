using Distill.Cli.Output;
using Distill.Cli.Progress;
using Distill.Hub;
using Distill.Pipeline.Models;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Cli.Models;

/// <summary>The Hub before the user's eyes: as the environment says how it is reached, with progress. Dispose it.</summary>
internal sealed class HubAccess : IModelSource, IDisposable
{
    private readonly CommandContext context;
    private readonly Lazy<HubClient> client;

    public HubAccess(CommandContext context)
    {
        this.context = context;
        client = new(() => new HubClient(HubOptions.FromEnvironment(), context.Clock));
    }

    /// <summary>A word of the command line that names a place of the Hub.</summary>
    /// <exception cref="UsageException">It names none.</exception>
    public static HubReference Parse(string word) => HubReference.TryParse(word, out var reference, out string fault) ? reference
        : throw new UsageException($"{Printable.Quote(word)} is no place on the Hub: {fault}.");

    /// <summary>A folder that was typed, or the one that <c>hf://</c> is pulled to.</summary>
    /// <exception cref="UsageException">The reference is none, or one of a data set.</exception>
    /// <exception cref="HubException">It cannot be had; says what to do.</exception>
    public static string Locate(string word, CommandContext context, PulledModel kind = PulledModel.Any)
    {
        if (!HubReference.IsReference(word)) return word;
        var reference = Parse(word);
        if (reference.Kind == HubKind.DataSet) throw new UsageException($"'{word}' is a data set, where a model is needed.");
        using var hub = new HubAccess(context);
        return hub.Pull(reference, kind).LocalPath;
    }

    public HubSnapshot Pull(HubReference reference, PulledModel kind)
    {
        var progress = Begin("pull", reference);
        var snapshot = new HubModels(client.Value, progress, context.Cancellation).Pull(reference, kind);
        context.Progress.End();
        if (snapshot.Received > 0) context.Progress.Line($"{snapshot.Reference}: {Readable.Size(snapshot.Bytes)} from the Hub");
        return snapshot;
    }

    public HubSnapshot Pull(HubReference reference, HubSelection selection)
    {
        var progress = Begin("pull", reference);
        var snapshot = client.Value.PullAsync(reference, selection, progress, context.Cancellation).GetAwaiter().GetResult();
        context.Progress.End();
        return snapshot;
    }

    public HubPushResult Push(string folder, HubReference target, HubPushOptions options)
    {
        var progress = Begin(options.IsDryRun ? "compare" : "push", target);
        var result = client.Value.PushAsync(folder, target, options, progress, context.Cancellation).GetAwaiter().GetResult();
        context.Progress.End();
        return result;
    }

    public void Dispose()
    {
        if (client.IsValueCreated) client.Value.Dispose();
    }

    private TransferProgress Begin(string title, HubReference reference)
    {
        context.Progress.Begin(title, $"{reference}");
        return new TransferProgress(context.Progress);
    }

    private sealed class TransferProgress(ProgressDisplay display) : IProgress<HubProgress>
    {
        private const double Megabyte = 1e6;

        public void Report(HubProgress value)
        {
            string files = value.Note.Length > 0 ? value.Note : $"{value.Files}/{value.TotalFiles} files";
            display.Report(new StageProgress(Math.Round(value.Bytes / Megabyte, 1), Math.Round(value.TotalBytes / Megabyte, 1), "MB", files,
                value.BytesPerSecond / Megabyte, "MB/s"));
        }
    }
}

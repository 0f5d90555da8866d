using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Runs;
using Distill.Storage;
using Distill.Teacher;

namespace Distill.Pipeline.Stages.Data;

/// <summary>A model of ours answers problems, part by part. The model is opened when a part has to be made.</summary>
/// <param name="problems">Are disposed with this.</param>
internal sealed class TraceWork(StageContext context, ProblemParts problems, TraceCollectionOptions options) : IStageWork
{
    private readonly TraceFiles files = new(context);
    private ServedModel? model;
    private TraceCollection? collection;
    private CompletionJournal? journal;
    private WorkTime? time;
    private long began, tokens;

    public required Func<ServedModel> Open { get; init; }

    /// <summary>What the rate of tokens is called in the report.</summary>
    public required string RateName { get; init; }

    /// <summary>Under which name completions are kept; null: under the model's digest.</summary>
    public string? JournalDigest { get; init; }

    /// <summary>Writes what belongs to all parts together and tells the result; is told whether the time was over.</summary>
    public required Func<TraceFiles, bool, string> Join { get; init; }

    public string Noun { get; init; } = "traces";

    /// <summary>Counts what was asked; null where everything is.</summary>
    public SamplingTally? Tally { get; init; }

    public TimeSpan? TimeLimit { get; init; }

    /// <summary>What else is worth a glance.</summary>
    public Func<string> Detail { get; init; } = () => "";

    /// <summary>What else is disposed with this.</summary>
    public IDisposable? Owned { get; init; }

    public int Units => problems.PartCount(options.ProblemsPerPart);

    /// <summary>How far unfinished work is.</summary>
    public static string Continuation(string folder, int problems)
    {
        int size = new TraceCollectionOptions { Seed = 0, Teacher = "", TeacherDigest = "" }.ProblemsPerPart;
        int parts = (problems + size - 1) / size;
        return $"part {Math.Min(new WorkLog(folder).Count + 1, parts)} of {parts}";
    }

    public bool IsDone(int unit)
    {
        var rows = Tally is null ? null : new List<Trace>();
        if (!files.TryTake(unit, rows)) return false;
        Tally?.Add(Part(unit), rows!);
        return true;
    }

    public void Run(IReadOnlyList<int> units, CancellationToken cancellation)
    {
        var spent = time ??= new WorkTime(context.Folder, TimeLimit, context.Clock);
        foreach (int unit in units)
        {
            var part = Part(unit);
            if (spent.IsOver)
            {
                Tally?.Add(part, []);
                continue;
            }

            using var watched = context.BeginUnit(unit);
            collection ??= Begin(spent);
            int first = unit * options.ProblemsPerPart;
            long before = tokens;
            var made = collection.Generate(
                part, unit, options.Budget.Share(first, first + part.Count, problems.Count),
                generated => Report((first * options.Samples) + generated.Completions, before + generated.CompletionTokens),
                spent.Deadline, cancellation);
            files.Write(made);
            Tally?.Add(part, made.Traces);
            spent.Save();
        }
    }

    public string Finish()
    {
        double seconds = context.Clock.GetElapsedTime(began).TotalSeconds;
        if (tokens > 0) context.Measure(RateName, tokens / seconds);
        context.Worked(new WorkDone(files.Rows, files.PromptTokens, files.CompletionTokens, Units: tokens));
        return Join(files, time?.IsOver ?? false);
    }

    public void Dispose()
    {
        time?.Dispose();
        problems.Dispose();
        journal?.Dispose();
        model?.Dispose();
        Owned?.Dispose();
    }

    private IReadOnlyList<Problem> Part(int unit) => problems.Read(unit, options.ProblemsPerPart);

    private TraceCollection Begin(WorkTime spent)
    {
        model = Open();
        if (context.SharedCompletions is { } folder)
        {
            journal = CompletionJournal.Open(folder, JournalDigest ?? options.TeacherDigest);
            foreach (string note in journal.Notes) context.Warning(note);
        }

        began = context.Clock.GetTimestamp();
        spent.Begin();
        return new TraceCollection(model.Generator, model.Encoder, options, journal, context.Clock);
    }

    private void Report(int done, long made)
    {
        tokens = made;
        double rate = tokens / Math.Max(1e-9, context.Clock.GetElapsedTime(began).TotalSeconds);
        context.Progress(new StageProgress(done, (double)problems.Count * options.Samples, Noun, Detail(), rate, "tokens/s"));
    }
}

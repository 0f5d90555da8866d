using System.Text.Json;
using System.Threading.Channels;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Service.Fleet;

/// <summary>A line to the process that does a worker's work.</summary>
/// <param name="Work">Null: stop what is at hand at a safe point.</param>
internal sealed record HandsOrder(ClaimedWork? Work);

/// <summary>A line from it. Lines that are none are passed over: libraries print what they like.</summary>
/// <param name="Detail">How far the work is; null says nothing of it.</param>
/// <param name="Said">Worth noting down.</param>
internal sealed record HandsAnswer(WorkResult? Result = null, string? Detail = null, string? Said = null)
{
    public static string Write<T>(T line) => JsonSerializer.Serialize(line, CanonicalJson.Spelling);

    /// <returns>Null for what is no such line.</returns>
    public static T? TryRead<T>(string line)
        where T : class
    {
        if (!line.StartsWith('{')) return null;
        try
        {
            return JsonSerializer.Deserialize<T>(line, CanonicalJson.Spelling);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>
/// The process that does a worker's work, one piece after another, so that what breaks it (memory, a native library) breaks nothing else.
/// It is told what to do by lines of its input, and ends with it: at a safe point, or by force where there is none within some seconds.
/// </summary>
/// <param name="say">Writes a line to the worker.</param>
internal sealed class Hands(WorkMaker maker, Action<string> say, TimeProvider clock)
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5), Patience = TimeSpan.FromSeconds(6);

    private readonly Channel<(ClaimedWork Work, CancellationTokenSource Stop)> asked =
        Channel.CreateUnbounded<(ClaimedWork, CancellationTokenSource)>();

    private readonly Lock gate = new();

    /// <summary>Returns when the input is at its end. The calling thread does the work.</summary>
    /// <param name="end">Ends this process at once.</param>
    public void Run(TextReader input, Action end, CancellationToken cancellation)
    {
        using var beat = clock.CreateTimer(_ => Say(new()), null, Beat, Beat);
        var reader = new Thread(() => Read(input, end)) { IsBackground = true, Name = "orders" };
        reader.Start();
        while (asked.Reader.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
        {
            while (asked.Reader.TryRead(out var next))
            {
                using var linked = CancellationTokenSource.CreateLinkedTokenSource(next.Stop.Token, cancellation);
                Say(new(Result: maker.Make(next.Work, new Listener(this, clock), linked.Token)));
            }
        }
    }

    private void Read(TextReader input, Action end)
    {
        var current = new CancellationTokenSource();
        while (input.ReadLine() is { } line)
        {
            if (HandsAnswer.TryRead<HandsOrder>(line) is not { } order) continue;
            if (order.Work is { } work) asked.Writer.TryWrite((work, current = new()));
            else current.Cancel();
        }

        current.Cancel();
        asked.Writer.Complete();
        using var patience = new ManualResetEventSlim();
        using var timer = clock.CreateTimer(_ => patience.Set(), null, Patience, Timeout.InfiniteTimeSpan);
        patience.Wait();
        end(); // still here: it is in the middle of something that does not end
    }

    private void Say(HandsAnswer answer)
    {
        lock (gate) say(HandsAnswer.Write(answer));
    }

    /// <summary>Tells the worker what the run says; progress at most once a second.</summary>
    private sealed class Listener(Hands hands, TimeProvider clock) : IRunObserver
    {
        private long last = clock.GetTimestamp();

        public void RunStarted(string name, string folder)
        {
        }

        public void StageStarted(string stage, string reason) => hands.Say(new(Detail: reason));

        public void Progress(string stage, StageProgress progress)
        {
            if (clock.GetElapsedTime(last) < TimeSpan.FromSeconds(1)) return;
            last = clock.GetTimestamp();
            string detail = progress.Detail.Length > 0 ? $", {progress.Detail}" : "";
            hands.Say(new(Detail: $"{progress.Done:N0}/{progress.Total:N0} {progress.Unit}{detail}"));
        }

        public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values)
        {
        }

        public void StageFinished(string stage, TimeSpan elapsed, string summary) => hands.Say(new(Said: $"{stage}: {summary}"));

        public void StageCached(string stage, string reason, string summary)
        {
        }

        public void Warning(string message) => hands.Say(new(Said: message));

        public void Note(string message) => hands.Say(new(Said: message));
    }
}

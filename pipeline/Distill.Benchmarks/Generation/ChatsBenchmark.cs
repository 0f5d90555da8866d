using Distill.Benchmarks.Measuring;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Benchmarks.Generation;

/// <summary>
/// Chats that come at once, from their prompts to their last token; and how long one waits for its first token, alone and while others are
/// answered. Held against a model that computes every position's logits and reads prompts one by one, in turns.
/// </summary>
internal sealed class ChatsBenchmark : IBenchmark
{
    private const int Answer = 33;

    private static readonly int[] Counts = [1, 8, 32];

    public string Name => "chats";

    public string Summary => "1, 8 and 32 chats served at once by the large model, prompts included; the wait for a first token";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        using var loaded = context.Large.Load();
        using var loadedWhole = context.Large.Load(new OnnxModelOptions { SelectLogitRows = false });
        using var model = new TimedTokenModel(loaded, context.Clock);
        using var whole = new TimedTokenModel(loadedWhole, context.Clock);
        int answer = context.Quick ? 3 : Answer;
        var variants = Counts.SelectMany(count => (Func<ChatRun>[])
        [
            () => ChatRun.Measure(context, model, count, answer), () => ChatRun.Measure(context, whole, count, answer),
        ]);
        var runs = Interleaving.Run<ChatRun>(context.Rounds, [.. variants]);
        var waits = Interleaving.Run<FirstTokenWait>(
            context.Rounds, () => FirstTokenWait.Measure(context, loaded), () => FirstTokenWait.Measure(context, loadedWhole));
        return [.. Counts.SelectMany((count, i) => Compare(count, runs[2 * i], runs[(2 * i) + 1])), .. Compare(waits[0], waits[1])];
    }

    private static Figure[] Compare(int count, IReadOnlyList<ChatRun> now, IReadOnlyList<ChatRun> whole)
    {
        var rate = Series.Of(now, run => run.TokensPerSecond);
        string chats = count == 1 ? "1 chat" : $"{count} chats at once";
        return
        [
            Figure.Plain(chats, rate, "tokens/s", $"answers of {Answer} tokens after prompts of 30 to 89; the prompts' time counts"),
            Figure.Plain($"{chats}, share of the time in prompts", Series.Of(now, run => 100 * run.PromptShare), "%"),
            Figure.Plain($"{chats} ÷ one prompt after another, every position's logits",
                rate.Over(Series.Of(whole, run => run.TokensPerSecond)), "×"),
        ];
    }

    private static Figure[] Compare(IReadOnlyList<FirstTokenWait> now, IReadOnlyList<FirstTokenWait> whole) =>
    [
        Figure.Plain("wait for the first token, alone", Series.Of(now, wait => 1000 * wait.Alone), "ms", "a prompt of 60 tokens"),
        Figure.Plain("wait for the first token while 8 chats are answered", Series.Of(now, wait => 1000 * wait.Among), "ms"),
        Figure.AtMost("the same ÷ every position's logits", 1.05,
            Series.Of(now, wait => wait.Among).Over(Series.Of(whole, wait => wait.Among)), "×", "it must not get longer"),
    ];
}

/// <summary>Chats from prompt to end.</summary>
/// <param name="TokensPerSecond">Of the answers, over all the time but that of opening the session.</param>
/// <param name="PromptShare">Of that time.</param>
internal sealed record ChatRun(double TokensPerSecond, double PromptShare)
{
    public static ChatRun Measure(BenchmarkContext context, TimedTokenModel model, int chats, int answer)
    {
        var requests = Enumerable.Range(0, chats).Select(i => Request(model, i, 30 + (i * 37 % 60), answer)).ToList();
        var generator = new BatchGenerator(model, slots: chats);
        model.TakeTimes();
        double all = context.Seconds(() => generator.Run(requests, (_, _, _) => { }));
        var times = model.TakeTimes();
        double serving = all - times.Opening;
        return new ChatRun(chats * answer / serving, times.Prefilling / serving);
    }

    public static GenerationRequest Request(ITokenModel model, int index, int prompt, int answer) => new()
    {
        Prompt = [.. Enumerable.Range(0, prompt).Select(i => (int)((100 + (i * 7919L) + (index * 104_729L)) % model.VocabularySize))],
        MaxNewTokens = answer,
        Sampling = new SamplingOptions { Temperature = 1 },
        Seeds = [(ulong)index],
    };
}

/// <summary>Seconds from a request to its first token.</summary>
internal sealed record FirstTokenWait(double Alone, double Among)
{
    private const int Others = 8, Prompt = 60;

    public static FirstTokenWait Measure(BenchmarkContext context, ITokenModel model)
    {
        using var engine = new GenerationEngine(model, new EngineOptions { Slots = Others + 1, MaxLength = 512 });
        double alone = Wait(context, engine, Others);
        using var leaving = new CancellationTokenSource();
        var others = Enumerable.Range(0, Others).Select(i => Begin(engine, i, leaving.Token)).ToList();
        Task.WaitAll([.. others.Select(other => other.Begun)]);
        double among = Wait(context, engine, Others);
        leaving.Cancel();
        Task.WaitAll([.. others.Select(other => other.Ended)]);
        return new FirstTokenWait(alone, among);
    }

    private static double Wait(BenchmarkContext context, GenerationEngine engine, int index) =>
        context.Seconds(() => engine.CompleteAsync(ChatRun.Request(engine.Model, index, Prompt, 1)).GetAwaiter().GetResult());

    /// <summary>An answer that goes on until it is left.</summary>
    private static (Task Begun, Task Ended) Begin(GenerationEngine engine, int index, CancellationToken leaving)
    {
        var begun = new TaskCompletionSource();
        return (begun.Task, Task.Run(async () =>
        {
            try
            {
                var answer = engine.Stream(ChatRun.Request(engine.Model, index, Prompt, 400), leaving);
                await foreach (var happened in answer.ConfigureAwait(false)) begun.TrySetResult();
            }
            catch (OperationCanceledException) when (leaving.IsCancellationRequested)
            {
                // What was to be measured beside it has been.
            }
        }, CancellationToken.None));
    }
}

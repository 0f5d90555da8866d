using Distill.Cli.Output;
using Distill.Cli.Progress;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>What observers of a run write, with a clock that the test moves.</summary>
public sealed class ProgressTests
{
    private readonly StepClock clock = new();

    [Fact]
    public void Redirected_progress_is_one_line_in_ten_seconds()
    {
        using var error = new StringWriter();
        using var display = ProgressDisplay.Create(new ConsoleStreams(TextReader.Null, TextWriter.Null, error), clock);
        Watch(new ConsoleRunObserver(display));
        error.ToString().ReplaceLineEndings("\n").ShouldBe("""
            demo in /runs/demo
            = problems     unchanged  40 problems
            sft: not done yet
            sft: 10 %, 10/100 steps, loss 0.5, 2,000 tokens/s, 1:30 left
            sft: 20 %, 20/100 steps, loss 0.5, 2,000 tokens/s, 1:20 left
            ! little memory
            ✓ sft              25 s  done

            """);
    }

    [Fact]
    public void Machines_get_one_object_a_line()
    {
        using var output = new StringWriter();
        Watch(new JsonRunObserver(new ResultWriter(new ConsoleStreams(TextReader.Null, output, TextWriter.Null), json: true), clock));
        string[] lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines[0].ShouldBe("""{"event":"run_started","name":"demo","folder":"/runs/demo"}""");
        lines.ShouldContain("""{"event":"metric","stage":"sft","step":1,"values":{"loss":0.5}}""");
        lines.Count(line => line.StartsWith("""{"event":"progress",""", StringComparison.Ordinal)).ShouldBe(25);
        lines[^1].ShouldBe("""{"event":"stage_finished","stage":"sft","seconds":25,"summary":"done"}""");
    }

    private void Watch(IRunObserver observer)
    {
        observer.RunStarted("demo", "/runs/demo");
        observer.StageCached("problems", "unchanged", "40 problems");
        observer.StageStarted("sft", "not done yet");
        observer.Progress("sft", At(0));
        for (int half = 1; half <= 50; half++)
        {
            clock.Advance(TimeSpan.FromSeconds(0.5));
            observer.Progress("sft", At(half / 2.0));
        }

        observer.Metric("sft", 1, new Dictionary<string, double> { ["loss"] = 0.5 });
        observer.Warning("little memory");
        observer.StageFinished("sft", TimeSpan.FromSeconds(25), "done");
    }

    private static StageProgress At(double done) => new(done, 100, "steps", "loss 0.5", 2000, "tokens/s");

    private sealed class StepClock : TimeProvider
    {
        private long now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now;

        public void Advance(TimeSpan time) => now += time.Ticks;
    }
}

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
        Watch(new ConsoleRunObserver(display, clock));
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

    [Fact]
    public void A_terminal_sees_how_far_it_is_without_colours_and_why_a_stage_is_done()
    {
        using var error = new StringWriter();
        var streams = new ConsoleStreams(TextReader.Null, TextWriter.Null, error) { IsColoured = false, Width = () => 80 };
        using var display = new LiveProgress(streams, clock);
        var observer = new ConsoleRunObserver(display, clock);
        observer.StageStarted("sft", "continues at step 693 of 1,082");
        clock.Advance(TimeSpan.FromSeconds(1));
        observer.Progress("sft", At(50));
        string text = error.ToString();
        text.ShouldContain("› sft          continues at step 693 of 1,082\n");
        text.ShouldContain("  sft          ██████████░░░░░░░░░░  50 %  50/100 steps");
        text.Replace("\r\u001b[2K", "").ShouldNotContain("\u001b");
        text.Split('\r', '\n').ShouldAllBe(line => line.Length < 80 + "\u001b[2K".Length);
    }

    [Fact]
    public void What_a_stage_says_cannot_command_the_terminal()
    {
        using var error = new StringWriter();
        using var display = new LiveProgress(new ConsoleStreams(TextReader.Null, TextWriter.Null, error) { IsColoured = false }, clock);
        display.Line("red \u001b[31m\u009b31m\nnext");
        display.Begin("\u001b]0;title\a", "\u001b[2J");
        error.ToString().Replace("\r\u001b[2K", "").ShouldNotContain("\u001b");
        error.ToString().ShouldNotContain("\u009b");
        error.ToString().ShouldNotContain("\a");
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

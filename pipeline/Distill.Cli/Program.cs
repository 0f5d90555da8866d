using Distill.Pipeline.Pretraining;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

using var ended = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) => { e.Cancel = true; ended.Cancel(); };
if (args[0] == "run")
{
    PipelineRun.Run(RecipeFile.Load<DistillationRecipe>(args[1], args[2..]), new RunOptions(), new O(), TimeProvider.System, ended.Token);
    return;
}
var recipe = RecipeFile.Load<PretrainRecipe>(args[1], args[2..]);
long tokens = 0; double seconds = 0;
new PretrainingJob(recipe, Path.Combine("runs", recipe.Name), TimeProvider.System).Run(r => { tokens += r.Tokens; seconds += r.Seconds; if (r.Step % 20 == 0) Console.WriteLine($"{r.Step}/{r.Steps} loss {r.Loss:F4} entropy {r.Entropy:F3} norm {r.GradientNorm:F3} {tokens / seconds:F0} tok/s"); }, ended.Token);

internal sealed class O : IRunObserver
{
    private long last;
    public void RunStarted(string name, string folder) => Console.WriteLine($"{name} {folder}");
    public void StageStarted(string stage, string reason) => Console.WriteLine($"  {stage}: {reason}");
    public void Progress(string stage, StageProgress p) { if (Environment.TickCount64 - last < 3000) return; last = Environment.TickCount64; Console.WriteLine($"      {p.Done}/{p.Total} {p.Unit} {p.Detail} {p.Rate:F0} {p.RateUnit}"); }
    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values) { if (values.TryGetValue("held_out", out var h)) Console.WriteLine($"      step {step} held-out {h:F4} reward {values["reward"]:F3} entropy {values["entropy"]:F3} mismatch {values["mismatch"]:G3}"); }
    public void StageFinished(string stage, TimeSpan elapsed, string summary) => Console.WriteLine($"  {stage} done in {elapsed.TotalSeconds:F1} s: {summary}");
    public void StageCached(string stage, string reason, string summary) => Console.WriteLine($"  {stage} {reason}: {summary}");
    public void Warning(string message) => Console.WriteLine($"  ! {message}");
}

using Distill.Pipeline.Pretraining;
using Distill.Pipeline.Recipes;

using var ended = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) => { e.Cancel = true; ended.Cancel(); };
var recipe = RecipeFile.Load<PretrainRecipe>(args[1], args[2..]);
long tokens = 0; double seconds = 0;
new PretrainingJob(recipe, Path.Combine("runs", recipe.Name), TimeProvider.System).Run(r => { tokens += r.Tokens; seconds += r.Seconds; if (r.Step % 20 == 0) Console.WriteLine($"{r.Step}/{r.Steps} loss {r.Loss:F4} entropy {r.Entropy:F3} norm {r.GradientNorm:F3} {tokens / seconds:F0} tok/s"); }, ended.Token);

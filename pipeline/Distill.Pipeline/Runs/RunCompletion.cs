using Distill.Pipeline.Recipes;
namespace Distill.Pipeline.Runs;
internal static class RunCompletion
{
    public static RunResult Finish(DistillationRecipe recipe, RunFolder folder, IReadOnlyList<FinishedStage> done, bool whole, RunLedger ledger) => new(folder.Name, folder.Path, null, null, null);
}

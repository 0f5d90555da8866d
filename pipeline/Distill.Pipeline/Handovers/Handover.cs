using Distill.Architecture;
using Distill.Data.Publishing.Licences;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages;
using Distill.Storage;

namespace Distill.Pipeline.Handovers;

/// <summary>What was handed over.</summary>
/// <param name="Launch">Lines for a shell in the folder.</param>
/// <param name="Differences">Options that mean something else there, or nothing.</param>
internal sealed record HandoverResult(
    string Folder, string Run, string Stage, string Trainer, IReadOnlyList<string> Launch, IReadOnlyList<MappedOption> Differences);

/// <summary>Writes a training of a run for another trainer: checkpoint, data, configuration, scripts. One thread.</summary>
internal static class Handover
{
    /// <param name="target">Replaced as a whole, or left as it is.</param>
    /// <param name="acceptsDifferences">Whether options without a counterpart are listed instead of refused.</param>
    /// <exception cref="RunRefusedException">The trainer has no such training, or an option has no counterpart there.</exception>
    /// <exception cref="InvalidDataException">A file is not what it should be; named.</exception>
    public static HandoverResult Write(
        RunFolder run, DistillationRecipe recipe, string? stage, ITrainer trainer, string target, bool acceptsDifferences,
        TimeProvider clock, CancellationToken cancellation)
    {
        HandoverResult? result = null;
        ReplacedFolder.Write(target, folder =>
        {
            string checkpoint = Path.Combine(folder, HandoverRecord.CheckpointFolder);
            Directory.CreateDirectory(checkpoint);
            var training = HandedTraining.Open(run, recipe, stage, checkpoint, clock);
            if (!trainer.Stages.Contains(training.Stage))
                throw new RunRefusedException(
                    $"{trainer.Name} has no training like '{training.Stage}'; it takes {string.Join(" and ", trainer.Stages)}. "
                    + "Choose another --stage, or --to trl.");
            var options = trainer.Translate(training);
            if (!acceptsDifferences) RequireCounterparts(trainer, options);
            cancellation.ThrowIfCancellationRequested();
            var tokenizer = training.Student.Tokenizer
                ?? throw new InvalidDataException($"The student of '{run.Name}' has no tokenizer.json, which a trainer needs.");
            Checkpoint.Save(checkpoint, training.Weights(), tokenizer);
            CarryCard(recipe.Student.Base, checkpoint);
            cancellation.ThrowIfCancellationRequested();
            var launch = trainer.Write(folder, training, options);
            HandoverRecord.Of(training, trainer, options, PackageStage.DigestOf(recipe), folder).Write(folder);
            var licences = RecipeLicences.Of(recipe, SourcesOf(run));
            File.WriteAllText(Path.Combine(folder, "README.md"), HandoverCard.Write(training, trainer, options, launch, licences));
            result = new HandoverResult(
                target, run.Name, training.Stage, trainer.Name, launch, [.. options.Rows.Where(row => row.Match != OptionMatch.Same)]);
        });
        return result!;
    }

    // What its makers ask of whoever passes the base on stands in its card.
    private static void CarryCard(string model, string checkpoint)
    {
        string card = Path.Combine(model, "README.md");
        if (File.Exists(card)) File.Copy(card, Path.Combine(checkpoint, "README.md"));
    }

    private static void RequireCounterparts(ITrainer trainer, OptionMap options)
    {
        var missing = options.Rows.Where(row => row.Match == OptionMatch.Missing).ToList();
        if (missing.Count == 0) return;
        throw new RunRefusedException(
            $"{trainer.Name} has no counterpart for {string.Join("; ", missing.Select(Describe))}. "
            + "Say --set KEY=VALUE to hand over something else, or --accept-differences to have them listed in the folder's README.");

        static string Describe(MappedOption row) => row.Ours.Length == 0 ? row.Note : $"{row.Ours}={row.Value} (there is: {row.Note})";
    }

    private static IReadOnlyList<LicensedPart> SourcesOf(RunFolder run)
    {
        string path = run.Inside(Path.Combine("1-problems", "train", SourceLicences.FileName));
        return File.Exists(path) ? SourceLicences.Read(path) : [];
    }
}

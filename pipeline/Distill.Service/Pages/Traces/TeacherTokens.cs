using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting.TracePages;
using Distill.Pipeline.Runs;
using Distill.Tokenization;

namespace Distill.Service.Pages.Traces;

/// <summary>The texts of tokens, by the tokenizer of the teacher that wrote them. Keeps the newest tokenizer. Thread-safe.</summary>
internal sealed class TeacherTokens
{
    private readonly Lock gate = new();
    private (string Folder, DateTime Written, Tokenizer Tokenizer)? newest;

    /// <param name="fingerprint">That the traces carry.</param>
    /// <returns>Null where the run's recipe names no folder with that tokenizer.</returns>
    public Func<IReadOnlyList<int>, IReadOnlyList<string>>? Of(RunFolder run, string fingerprint)
    {
        if (FolderOf(run) is not { } folder || TokenizerOf(folder) is not { } tokenizer) return null;
        return fingerprint.Length > 0 && fingerprint != tokenizer.Fingerprint ? null : TokenPieces.Of(tokenizer);
    }

    private static string? FolderOf(RunFolder run)
    {
        try
        {
            return RecipeFile.Finished(run.RecipePath)?.Teacher is { IsLocal: true, Model: { Length: > 0 } model } ? model : null;
        }
        catch (InvalidRecipeException)
        {
            return null;
        }
    }

    private Tokenizer? TokenizerOf(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, "tokenizer.json"));
        if (!file.Exists) return null;
        lock (gate)
        {
            if (newest is var (known, written, tokenizer) && known == folder && written == file.LastWriteTimeUtc) return tokenizer;
            try
            {
                var loaded = Tokenizer.Load(folder);
                newest = (folder, file.LastWriteTimeUtc, loaded);
                return loaded;
            }
            catch (Exception fault) when (fault is InvalidDataException or IOException)
            {
                return null;
            }
        }
    }
}

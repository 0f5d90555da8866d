namespace Distill.Export.Parity.Texts;

/// <summary>Whether texts and chats become the ids that the model was trained on.</summary>
/// <param name="Texts">Tried, with control tokens as text and as tokens.</param>
/// <param name="Chats">Rendered by the folder's template; 0 where it has none.</param>
/// <param name="Differences">What is not as in training, a sentence each.</param>
/// <param name="Runtimes">Other runtimes' own tokenizers over the same texts; null when none was asked.</param>
public sealed record TextParity(
    int Texts, int Chats, IReadOnlyList<string> Differences, IReadOnlyList<RuntimeTexts>? Runtimes = null);

/// <summary>Another runtime's tokenizer against that of training.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Texts">Tried.</param>
/// <param name="Known">What it is known to do differently and still does, with the reason: named, not refused.</param>
/// <param name="Unknown">What it does differently and is not known to, a sentence each; the first of them.</param>
/// <param name="ProblemTexts">Problems and prompts among the texts that it does not read as in training: these refuse the folder.</param>
public sealed record RuntimeTexts(
    string Name, int Texts, IReadOnlyList<string> Known, IReadOnlyList<string> Unknown, int ProblemTexts)
{
    /// <summary>Why nothing can be said of it: its time was over. Null when it was asked.</summary>
    public string? NotRun { get; init; }
}

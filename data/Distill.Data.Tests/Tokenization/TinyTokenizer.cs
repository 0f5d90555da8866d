using Distill.Tokenization;
using Distill.Tokenization.Training;

namespace Distill.Data.Tests.Tokenization;

/// <summary>A tokenizer trained on a few sentences, as the pipeline trains its own.</summary>
internal static class TinyTokenizer
{
    public static string[] Texts { get; } =
    [
        .. Enumerable.Range(0, 200).Select(i => $"Tom has {i} apples and buys {i * 7 % 90} more apples. How many apples does Tom have?"),
        "Is the statement true? The knight says that the knave lies. 12 + 34 = 46",
    ];

    public static BytePairTrainerOptions Options { get; } = new() { VocabularySize = 300 };

    public static TrainedTokenizer Trained { get; } = BytePairTrainer.Train(Texts, Options);

    public static ChatEncoder Encoder { get; } = Load();

    public static Tokenizer Tokenizer => Encoder.Tokenizer;

    /// <summary>Its files in a folder of their own, to be changed by the test, which disposes it.</summary>
    public static TemporaryFolder Folder()
    {
        var folder = new TemporaryFolder();
        Trained.Save(folder.Path);
        return folder;
    }

    private static ChatEncoder Load()
    {
        using var folder = Folder();
        return ChatEncoder.Load(folder.Path);
    }
}

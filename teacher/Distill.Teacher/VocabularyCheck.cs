using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Teacher;

/// <summary>A tokenizer may know fewer ids than a model's padded embedding, never more.</summary>
public static class VocabularyCheck
{
    /// <exception cref="InvalidDataException">The tokenizer has ids that the model does not know.</exception>
    public static void Require(Tokenizer tokenizer, ITokenModel model)
    {
        if (tokenizer.VocabularySize > model.VocabularySize)
            throw new InvalidDataException($"The tokenizer has {tokenizer.VocabularySize} ids but the model knows {model.VocabularySize}: they do not belong together.");
    }
}

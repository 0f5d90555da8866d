using Distill.Export.Parity;
using Distill.Pipeline.Models;
using Distill.Tokenization;

namespace Distill.Cli.Commands.Exporting;

/// <summary>Texts that a user gives: to choose codes over (<c>--calibrate</c>), or to measure a model on (<c>--texts</c>).</summary>
internal static class GivenTexts
{
    /// <param name="option">As the command line spells it, for messages.</param>
    /// <param name="place">What <see cref="CalibrationTexts.Read"/> takes.</param>
    /// <param name="positions">Tokens that the model reads.</param>
    /// <exception cref="UsageException">Nothing is there, or nothing that is a text; says where.</exception>
    public static IReadOnlyList<MeasuredText> Read(string option, string place, ChatEncoder encoder, int positions)
    {
        if (!Path.Exists(place)) throw new UsageException($"There is no file or folder '{place}'.", $"Give {option} a file of texts.");
        try
        {
            return CalibrationTexts.Read(place, encoder, positions);
        }
        catch (InvalidDataException wrong)
        {
            throw new UsageException(wrong.Message, $"Mend it, or give {option} another file of texts.");
        }
    }
}

namespace Distill.Tokenization.Templates;

/// <summary>A part of rendered text: written by the template, or taken from the messages.</summary>
internal readonly record struct TemplatePiece(string Text, bool FromMessages)
{
    /// <summary>Neighbours of the same origin as one piece, so that a control token written in parts is still one; no piece is empty.</summary>
    public static List<TemplatePiece> Join(IEnumerable<TemplatePiece> pieces)
    {
        var joined = new List<TemplatePiece>();
        foreach (var piece in pieces.Where(p => p.Text.Length > 0))
        {
            if (joined.Count > 0 && joined[^1].FromMessages == piece.FromMessages) joined[^1] = piece with { Text = joined[^1].Text + piece.Text };
            else joined.Add(piece);
        }
        return joined;
    }
}

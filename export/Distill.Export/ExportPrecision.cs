namespace Distill.Export;

/// <summary>How the large matrices of an exported model are stored. What flows between them, the cache and the logits are always fp32.</summary>
public enum ExportPrecision
{
    /// <summary>fp32, as trained; the parity gate holds this one to the last digits.</summary>
    Single,

    /// <summary>fp16 in the file, widened when the model is opened: half the size, the speed of fp32.</summary>
    Half,

    /// <summary>8 bits a weight in blocks of 32 with an fp32 scale each.</summary>
    Int8,

    /// <summary>4 bits a weight in blocks of 32, but 8 bits for embedding and output projection, which small models feel most.</summary>
    Int4,
}

"""How the embedded encoder is made: sources, vocabulary, teacher, distillation, authored stage, export."""
